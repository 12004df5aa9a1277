const UNIQUE_VIOLATION = 'P2002'

export async function open(target) {
  const prisma = target.type === 'postgres' ? await openPostgres(target) : await openMariadb(target)

  async function getOrCreate(email, name) {
    try {
      return [await prisma.user.upsert({ where: { email }, create: { email, name }, update: {} })]
    } catch (error) {
      // Where the upsert is not one statement of the database's it loses races, and Prisma's page says to catch that.
      if (error.code !== UNIQUE_VIOLATION) throw error
      return [await prisma.user.findUnique({ where: { email } })]
    }
  }

  async function getOrCreateMany(emails, name) {
    const where = { email: { in: emails } }
    const known = new Set((await prisma.user.findMany({ where, select: { email: true } })).map(({ email }) => email))
    const missing = emails.filter((email) => !known.has(email))
    await prisma.user.createMany({ data: missing.map((email) => ({ email, name })), skipDuplicates: true })
    const byEmail = new Map((await prisma.user.findMany({ where })).map((user) => [user.email, user]))
    return emails.map((email) => [byEmail.get(email), !known.has(email)])
  }

  return { getOrCreate, getOrCreateMany, close: () => prisma.$disconnect() }
}

async function openPostgres({ url, connections }) {
  const { PrismaClient } = await import('../generated/postgresql/index.js')
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const pool = { connectionString: url, max: connections, idleTimeoutMillis: 0 }
  return new PrismaClient({ adapter: new PrismaPg(pool) })
}

async function openMariadb({ url, connections }) {
  const { PrismaClient } = await import('../generated/mysql/index.js')
  const { PrismaMariaDb } = await import('@prisma/adapter-mariadb')
  const { hostname, port, username, password, pathname } = new URL(url)
  const adapter = new PrismaMariaDb({
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit: connections,
  })
  return new PrismaClient({ adapter })
}
