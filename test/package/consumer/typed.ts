import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin, isUniqueViolation, withGetOrCreate } from 'typeorm-get-or-create'

@Entity()
class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string

  @Column()
  name!: string
}

export async function signUp(dataSource: DataSource, email: string): Promise<string> {
  const users: GetOrCreateRepository<User> = withGetOrCreate(dataSource.getRepository(User))
  const [user, created] = await users.getOrCreate({ email }, () => ({ name: 'new' }), { strategy: 'create-first' })
  const isNew: boolean = created
  const id: number = user.id
  return `${id} ${isNew}`
}

export function keepsMethodsInTransactions(dataSource: DataSource): Promise<User> {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin({ attempts: 5 }))
  return dataSource.transaction(async (manager) => {
    const [user] = await manager.withRepository(users).getOrCreate({ email: 'a@example.com' }, { name: 'A' })
    return user
  })
}

export async function refused(users: GetOrCreateRepository<User>): Promise<void> {
  // @ts-expect-error no such property
  await users.getOrCreate({ mail: 'a@example.com' })
  // @ts-expect-error null matches nothing
  await users.getOrCreate({ email: null })
  // @ts-expect-error a number is no name
  await users.getOrCreate({ email: 'a@example.com' }, { name: 1 })
  // @ts-expect-error no such option
  await users.getOrCreate({ email: 'a@example.com' }, {}, { retries: 3 })
}

export const constraintOf = (error: unknown): unknown => (isUniqueViolation(error) ? error.driverError : undefined)
