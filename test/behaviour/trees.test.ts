import {
  Column,
  Entity,
  type EntityManager,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  Tree,
  TreeChildren,
  TreeParent,
} from 'typeorm'
import { isUniqueViolation, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

abstract class Node {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  name!: string

  @Column({ type: 'varchar', length: 60, unique: true, nullable: true })
  alias!: string | null

  parent!: Node | null
  children!: Node[]
}

@Entity()
@Tree('closure-table')
class ClosureNode extends Node {
  @TreeParent()
  declare parent: ClosureNode | null

  @TreeChildren({ cascade: true })
  declare children: ClosureNode[]
}

@Entity()
@Tree('materialized-path')
class PathNode extends Node {
  @TreeParent()
  declare parent: PathNode | null

  @TreeChildren({ cascade: true })
  declare children: PathNode[]
}

@Entity()
@Tree('nested-set')
class NestedNode extends Node {
  @TreeParent()
  declare parent: NestedNode | null

  @TreeChildren({ cascade: true })
  declare children: NestedNode[]
}

@Entity()
class AdjacentNode extends Node {
  @ManyToOne(
    () => AdjacentNode,
    (node) => node.children,
    { nullable: true },
  )
  declare parent: AdjacentNode | null

  @OneToMany(
    () => AdjacentNode,
    (node) => node.parent,
    { cascade: true },
  )
  declare children: AdjacentNode[]
}

type NodeClass = typeof ClosureNode | typeof PathNode | typeof NestedNode | typeof AdjacentNode

const trees: [kind: string, NodeClass][] = [
  ['closure-table', ClosureNode],
  ['materialized-path', PathNode],
  ['nested-set', NestedNode],
  ['adjacency list', AdjacentNode],
]

/** The names on the way up, by what the tree itself keeps. */
async function waysUp(manager: EntityManager, target: NodeClass, name: string): Promise<string[]> {
  if (target === AdjacentNode) {
    const node = await manager.findOne(AdjacentNode, { where: { name }, relations: { parent: true } })
    return node?.parent ? [name, ...(await waysUp(manager, target, node.parent.name))] : [name]
  }
  const node = await manager.findOneByOrFail(target as typeof Node & (new () => Node), { name })
  const ancestors = await manager.getTreeRepository(target as new () => Node).findAncestors(node)
  return ancestors.map((ancestor) => ancestor.name)
}

const nodesOf = (manager: EntityManager, target: NodeClass) =>
  withGetOrCreate(manager.getRepository(target as new () => Node))

describe.each(trees)('%s', (_kind, target) => {
  let db: OpenDatabase
  let rival: Rival
  let root: Node
  let names = 0
  let name: string

  beforeAll(async () => {
    db = await openDatabase([target])
    rival = await openRival(db)
  })
  beforeEach(async () => {
    names += 1
    name = `node ${names}`
    ;[root] = await nodesOf(db.dataSource.manager, target).getOrCreate({ name: 'root' })
  })
  afterAll(() => db.close())

  const up = (from: string) => waysUp(db.dataSource.manager, target, from).then((ways) => ways.sort())
  const count = () => db.dataSource.getRepository(target as new () => Node).count()

  test('the root is created once, and found', async () => {
    const [again, created] = await nodesOf(db.dataSource.manager, target).getOrCreate({ name: 'root' })

    expect([created, again.id]).toEqual([false, root.id])
    expect(await up('root')).toEqual(['root'])
  })

  describe.each(surroundings)('%s', (_where, within) => {
    test('a node is created under its parent, found again, and knows its ancestors', async () => {
      const results = await within(db.dataSource, async (manager) => {
        const nodes = nodesOf(manager, target)
        const [node] = await nodes.getOrCreate({ name }, { parent: root })
        const read = await nodes.findOneBy({ name })
        const [leaf] = await nodes.getOrCreate({ name: `${name} leaf` }, { parent: { id: node.id } })
        return { node, read, leaf, again: await nodes.getOrCreate({ name }, { parent: root }) }
      })

      expect(results.node).toBeInstanceOf(target)
      expect(results.node).toStrictEqual(results.read)
      expect(results.again[1]).toBe(false)
      expect(await up(`${name} leaf`)).toEqual([name, `${name} leaf`, 'root'].sort())
    })

    test('a node with its primary key in the criteria takes its place as well', async () => {
      const id = names * 1_000_000
      const [node, created] = await within(db.dataSource, (manager) =>
        nodesOf(manager, target).getOrCreate({ id }, { name, parent: root }),
      )

      expect([created, node.id]).toEqual([true, id])
      expect(await up(name)).toEqual([name, 'root'])
    })

    test('cascading children take their places too', async () => {
      await within(db.dataSource, (manager) =>
        nodesOf(manager, target).getOrCreate(
          { name },
          { parent: root, children: [{ name: `${name} a` }, { name: `${name} b` }] },
        ),
      )

      expect(await up(`${name} a`)).toEqual([name, `${name} a`, 'root'])
      expect(await up(`${name} b`)).toEqual([name, `${name} b`, 'root'])
    })

    test('the loser of a race leaves the tree as the winner made it', async () => {
      const [winner] = await nodesOf(db.dataSource.manager, target).getOrCreate({ name: `${name} p` }, { parent: root })
      const [node, created] = await within(db.dataSource, (manager) =>
        nodesOf(manager, target).getOrCreate({ name }, async () => {
          await rival.act((other) => nodesOf(other, target).getOrCreate({ name }, { parent: { id: winner.id } }))
          return { parent: root }
        }),
      )

      expect([created, node.name]).toEqual([false, name])
      expect(await up(name)).toEqual([name, `${name} p`, 'root'])
    })

    test('the loser of a race for a primary key overwrites nothing', async () => {
      const id = names * 1_000_000
      const [node, created] = await within(db.dataSource, (manager) =>
        nodesOf(manager, target).getOrCreate({ id }, async () => {
          await rival.act((other) => nodesOf(other, target).getOrCreate({ id }, { name, parent: { id: root.id } }))
          return { name: `${name} loser`, parent: root }
        }),
      )

      expect([created, node.name]).toEqual([false, name])
      expect(await up(name)).toEqual([name, 'root'])
    })

    test('when a child cannot be stored, neither the node nor a trace of it is', async () => {
      const before = await count()
      await nodesOf(db.dataSource.manager, target).getOrCreate({ name: `${name} taken` }, { parent: root })
      const failure = await within(db.dataSource, (manager) =>
        failureOf(
          nodesOf(manager, target).getOrCreate({ name }, { parent: root, children: [{ name: `${name} taken` }] }),
        ),
      )

      expect(isUniqueViolation(failure)).toBe(true)
      expect(await count()).toBe(before + 1)
      await nodesOf(db.dataSource.manager, target).getOrCreate({ name }, { parent: root })
      expect(await up(name)).toEqual([name, 'root'])
      expect(await up(`${name} taken`)).toEqual([`${name} taken`, 'root'])
    })

    test('a conflict on another unique key is told as the database tells it, and the tree stays whole', async () => {
      const alias = `alias ${name}`
      await nodesOf(db.dataSource.manager, target).getOrCreate({ name: `${name} owner` }, { parent: root, alias })
      const failure = await within(db.dataSource, (manager) =>
        failureOf(nodesOf(manager, target).getOrCreate({ name }, { parent: root, alias })),
      )

      expect(isUniqueViolation(failure)).toBe(true)
      expect(failure).toMatchObject({ name: 'QueryFailedError' })
      await nodesOf(db.dataSource.manager, target).getOrCreate({ name }, { parent: root })
      expect(await up(name)).toEqual([name, 'root'])
    })
  })
})

test.each(trees)('%s: of two that race for the first root, both get the one', async (_kind, target) => {
  const fresh = await openDatabase([target])
  try {
    const other = await openRival(fresh)
    const [root, created] = await nodesOf(fresh.dataSource.manager, target).getOrCreate({ name: 'root' }, async () => {
      await other.act((manager) => nodesOf(manager, target).getOrCreate({ name: 'root' }))
      return {}
    })

    expect(created).toBe(false)
    expect(root.name).toBe('root')
    expect(await fresh.dataSource.getRepository(target as new () => Node).count()).toBe(1)
  } finally {
    await fresh.close()
  }
})
