import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { atomically } from './connection.js'
import { type Claim, lostClaim, readCandidate, writeRow } from './inserting.js'
import type { NewRow } from './new-row.js'
import { broadcastInsert, idOf, type QueryRunner, type RelationMetadata } from './typeorm.js'

/** Does the new row take more than its own INSERT: parents, children, links, or a place in a tree? */
export function takesRelatedStatements({ metadata }: Call, row: NewRow): boolean {
  return row.parents.length > 0 || row.children.length > 0 || metadata.treeType !== undefined
}

/**
 * Inserts the row with everything that belongs to it, or nothing of it: new parents first, then the row's own INSERT,
 * then children and links. The row itself is never handed to `save()`, which would overwrite a winner whose primary key
 * is known; its relations are, to TypeORM's own unit of work.
 */
export async function insertWithRelated(
  call: Call,
  runner: QueryRunner,
  candidate: ObjectLiteral,
  row: NewRow,
): Promise<Claim> {
  const tree = call.metadata.treeType ? await import('./persistence.js') : undefined
  let failure: unknown
  const work = async () => {
    try {
      for (const relation of row.parents) await saveParent(runner, relation, relation.getEntityValue(candidate))
      await tree?.beforeTreeInsert(runner, call.metadata, candidate)
      await writeRow(call, runner, candidate, 'plain')
      await tree?.afterTreeInsert(runner, call.metadata, candidate)
      if (row.children.length > 0) await saveChildren(call, runner, candidate, row.children)
    } catch (error) {
      failure = error
      throw error
    }
    const stored = await readCandidate(call, runner, candidate)
    await broadcastInsert(runner, 'AfterInsert', call.metadata, candidate)
    return stored
  }
  try {
    return { created: await atomically(runner, call.dialect, work) }
  } catch (error) {
    if (error === failure) return lostClaim(error)
    throw error
  }
}

export async function saveParent(
  runner: QueryRunner,
  relation: RelationMetadata,
  parent: ObjectLiteral,
): Promise<void> {
  const metadata = relation.inverseEntityMetadata.findInheritanceMetadata(parent)
  const repository = runner.manager.getRepository(metadata.target)
  // A relation that cascades inserts only does not touch a parent that exists.
  const id = relation.isCascadeUpdate ? undefined : idOf(metadata, parent)
  if (id && (await repository.countBy(id)) > 0) return
  await repository.save(parent)
}

/** Saves the relations alone: an object with the row's key and nothing else to change. */
export async function saveChildren(
  { metadata }: Call,
  runner: QueryRunner,
  candidate: ObjectLiteral,
  relations: readonly RelationMetadata[],
): Promise<void> {
  const links: ObjectLiteral = { ...idOf(metadata, candidate) }
  for (const relation of relations) relation.setEntityValue(links, relation.getEntityValue(candidate))
  await runner.manager.save(metadata.target, links)
}
