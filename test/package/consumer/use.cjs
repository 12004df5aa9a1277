/** What an application does with the package, however it was loaded. Says what it saw. */
module.exports = async function use({ DataSource, EntitySchema }, loaded) {
  const dataSource = await new DataSource({
    type: 'sqljs',
    synchronize: true,
    entities: [userSchema(EntitySchema), categorySchema(EntitySchema)],
  }).initialize()
  const users = loaded.withGetOrCreate(dataSource.getRepository('User'))
  const categories = dataSource.getRepository('Category').extend(loaded.getOrCreateMixin())

  const [, created] = await users.getOrCreate({ email: 'ada@example.com' }, { name: 'Ada' })
  const [found, createdAgain] = await users.getOrCreate({ email: 'ada@example.com' }, { name: 'Eve' })
  const callers = Array.from({ length: 5 }, () => users.getOrCreate({ email: 'bob@example.com' }, { name: 'Bob' }))
  const [root] = await categories.getOrCreate({ name: 'root' })
  const [, childCreated] = await categories.getOrCreate({ name: 'child' }, { parent: root })
  const refusal = await users.getOrCreate({}).catch((error) => error)

  return {
    names: Object.keys(loaded).sort(),
    created,
    createdAgain,
    found: found.name,
    creators: (await Promise.all(callers)).filter(([, isCreator]) => isCreator).length,
    childCreated,
    refusal: refusal instanceof loaded.InvalidCriteriaError && refusal.name,
  }
}

const userSchema = (EntitySchema) =>
  new EntitySchema({
    name: 'User',
    columns: {
      id: { type: Number, primary: true, generated: true },
      email: { type: String, unique: true },
      name: { type: String },
    },
  })

/** A tree, because trees take the parts of TypeORM that are not in its index. */
const categorySchema = (EntitySchema) =>
  new EntitySchema({
    name: 'Category',
    trees: [{ type: 'closure-table' }],
    columns: {
      id: { type: Number, primary: true, generated: true },
      name: { type: String, unique: true },
    },
    relations: {
      parent: { type: 'many-to-one', target: 'Category', treeParent: true, nullable: true },
      children: { type: 'one-to-many', target: 'Category', treeChildren: true, inverseSide: 'parent' },
    },
  })
