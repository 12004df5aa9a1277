const { DataSource, EntitySchema, Equal, In, QueryFailedError } = require('typeorm')
const { isUniqueViolation, withGetOrCreate } = require('typeorm-get-or-create')

/** An application on one copy of TypeORM, and our package on another. Says what it saw. */
async function main() {
  const dataSource = await new DataSource({
    type: 'sqljs',
    synchronize: true,
    entities: [User, Tag, ...trees],
  }).initialize()
  const users = withGetOrCreate(dataSource.getRepository(User))

  const [, created] = await users.getOrCreate({ email: Equal('ada@x') }, { handle: 'ada' })
  const [found, createdAgain] = await users.getOrCreate({ email: In(['ada@x', 'eve@x']) })
  const failure = await users.getOrCreate({ email: 'bob@x' }, { handle: 'ada' }).catch((error) => error)
  const [author] = await users.getOrCreate({ email: 'cy@x' }, { tags: [{ label: 'a' }] }, { relations: { tags: true } })
  const [updated] = await users.updateOrCreate({ email: 'ada@x' }, ({ visits }) => ({ visits: visits + 1 }))
  const many = await users.getOrCreateMany([{ email: 'ada@x' }, { email: 'dan@x' }])
  const [, createdInTransaction] = await dataSource.transaction((manager) =>
    manager.withRepository(users).getOrCreate({ email: 'fay@x' }),
  )
  const atOnce = await Promise.all(Array.from({ length: 10 }, () => users.getOrCreate({ email: 'gil@x' })))

  return {
    copies:
      require.resolve('typeorm') !== require.resolve('typeorm', { paths: [require.resolve('typeorm-get-or-create')] }),
    created,
    found: [found.handle, createdAgain],
    failure: [failure instanceof QueryFailedError, isUniqueViolation(failure)],
    tags: author.tags.map(({ label }) => label),
    visits: updated.visits,
    many: many.map(([, isCreated]) => isCreated),
    createdInTransaction,
    creators: atOnce.filter(([, isCreator]) => isCreator).length,
    descendants: await Promise.all(trees.map((tree) => descendantsIn(dataSource.getTreeRepository(tree)))),
  }
}

async function descendantsIn(repository) {
  const nodes = withGetOrCreate(repository)
  const [root] = await nodes.getOrCreate({ name: 'root' })
  await nodes.getOrCreate({ name: 'child' }, { parent: root })
  return (await nodes.findDescendants(root)).length
}

const id = { type: Number, primary: true, generated: true }

const User = new EntitySchema({
  name: 'User',
  columns: {
    id,
    email: { type: String, unique: true },
    handle: { type: String, unique: true, nullable: true },
    visits: { type: Number, default: 0 },
  },
  relations: { tags: { type: 'many-to-many', target: 'Tag', joinTable: true, cascade: ['insert'] } },
})

const Tag = new EntitySchema({ name: 'Tag', columns: { id, label: { type: String, unique: true } } })

const trees = ['closure-table', 'materialized-path', 'nested-set'].map((type) => {
  const name = `Node of a ${type}`
  return new EntitySchema({
    name,
    trees: [{ type }],
    columns: { id, name: { type: String, unique: true } },
    relations: {
      parent: { type: 'many-to-one', target: name, treeParent: true, nullable: true },
      children: { type: 'one-to-many', target: name, treeChildren: true, inverseSide: 'parent' },
    },
  })
})

main().then((seen) => console.log(JSON.stringify(seen)))
