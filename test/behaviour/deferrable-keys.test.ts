import { Column, Entity, type EntityManager, PrimaryGeneratedColumn, Unique } from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

/** PostgreSQL takes no deferrable constraint for ON CONFLICT; other databases make it an ordinary one. */
@Entity()
@Unique('slot_code', ['code'], { deferrable: 'INITIALLY IMMEDIATE' })
class Slot {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 40 })
  code!: string

  @Column({ length: 40, default: '' })
  name!: string
}

const slotsOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Slot))

let db: OpenDatabase
let rival: Rival

beforeEach(async () => {
  db = await openDatabase([Slot])
  rival = await openRival(db)
})
afterEach(() => db.close())

describe.each(surroundings)('where a unique constraint is deferrable, %s', (_where, within) => {
  test('a miss creates, and a hit finds', async () => {
    const created = await within(db.dataSource, async (manager) => [
      (await slotsOf(manager).getOrCreate({ code: 'a' }))[1],
      (await slotsOf(manager).getOrCreate({ code: 'a' }))[1],
    ])
    expect(created).toEqual([true, false])
  })

  test('a lost race finds the winner, and what else the transaction wrote is stored', async () => {
    const beaten = async () => {
      await rival.act((other) => other.insert(Slot, { code: 'a', name: 'the winner' }))
      return { name: 'the loser' }
    }
    const [slot, created] = await within(db.dataSource, async (manager) => {
      await manager.insert(Slot, { code: 'before' })
      const result = await slotsOf(manager).getOrCreate({ code: 'a' }, beaten)
      await manager.insert(Slot, { code: 'after' })
      return result
    })

    expect([slot.name, created]).toEqual(['the winner', false])
    const codes = (await db.dataSource.manager.find(Slot)).map(({ code }) => code)
    expect(codes.sort()).toEqual(['a', 'after', 'before'])
  })

  test('getOrCreateMany creates what is missing, and finds what a rival was faster with', async () => {
    await db.dataSource.manager.insert(Slot, { code: 'b' })
    const beaten = async ({ code }: { code?: unknown }) => {
      if (code === 'a') await rival.act((other) => other.insert(Slot, { code: 'a', name: 'the winner' }))
      return { name: 'ours' }
    }
    const list = ['a', 'b', 'c', 'd'].map((code) => ({ code }))
    const results = await within(db.dataSource, (manager) => slotsOf(manager).getOrCreateMany(list, beaten))

    expect(results.map(([slot, created]) => [slot.code, slot.name, created])).toEqual([
      ['a', 'the winner', false],
      ['b', '', false],
      ['c', 'ours', true],
      ['d', 'ours', true],
    ])
  })
})
