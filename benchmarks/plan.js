import { parseArgs } from 'node:util'
import { BASELINE, contenders } from './contenders/index.js'

/** In the order in which they run: many callers before one, which needs code that has settled most of all. */
export const workloads = {
  'hit-16': { title: 'hit, 16 callers', method: 'hit', callers: 16, baseline: BASELINE.hit },
  'hit-1': { title: 'hit, 1 caller', method: 'hit', callers: 1, baseline: BASELINE.hit },
  'miss-16': { title: 'miss, 16 callers', method: 'miss', callers: 16, baseline: BASELINE.other },
  'miss-1': { title: 'miss, 1 caller', method: 'miss', callers: 1, baseline: BASELINE.other },
  race: { title: 'race of 16 on one new key', method: 'race', callers: 1, isApart: true, baseline: BASELINE.other },
  bulk: { title: 'many keys, half of them new', method: 'bulk', callers: 1, isLong: true, baseline: BASELINE.other },
}

/** Keys of one list; and the sizes, of tables and of lists, between which time is seen to grow. */
const sizes = { bulk: 1_000, rows: [1_000, 100_000, 1_000_000], keys: [10, 100, 1_000, 10_000] }
const smallSizes = { bulk: 200, rows: [100, 1_000], keys: [10, 100] }

/** In milliseconds: a turn and the lead-in to it, the warm-up before each workload, and the very first one. */
const paces = {
  full: {
    rounds: 7,
    leadIn: 50,
    milliseconds: 200,
    settle: { milliseconds: 5_000, limit: 100_000 },
    warmUp: 700,
    sizes,
  },
  quick: { rounds: 3, leadIn: 10, milliseconds: 40, settle: { milliseconds: 200 }, warmUp: 30, sizes: smallSizes },
  check: { rounds: 1, milliseconds: 0, sizes: { bulk: 20, rows: [100], keys: [10] } },
}

const QUICK = 'hit,miss,race,bulk,start-up'

const USAGE = `npm run bench -- [--quick | --check] [options]

  --quick               less than a minute: rough, with short lists and without growth; writes nothing
  --check               one call of everything: is every answer right?
  --database NAMES      postgres, mariadb
  --only NAMES          ${Object.keys(workloads).join(', ')}, rows, keys, start-up; 'hit' means hit-16 and hit-1
  --contenders NAMES    ${Object.keys(contenders).join(', ')};
                        those that the ratios need are added
  --rounds NUMBER       how often each contender has its turn
  --connections NUMBER  how many a contender has
  --profile             writes a CPU profile of every contender, and lists where it spent its time

POSTGRES_URL and MARIADB_URL say where the servers are. Names are separated by commas.`

export function planFrom(parameters) {
  const { values } = parseArgs({
    args: parameters,
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      database: { type: 'string' },
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      connections: { type: 'string', default: '5' },
    },
  })
  if (values.help) {
    console.log(USAGE)
    process.exit()
  }
  const pace = paces[values.check ? 'check' : values.quick ? 'quick' : 'full']
  const isPart = Boolean(values.only || values.contenders || values.database || values.profile)
  return {
    ...pace,
    ...(values.rounds && { rounds: Number(values.rounds) }),
    connections: Number(values.connections),
    isCheck: values.check,
    isProfile: values.profile,
    /** What is written down is always all of it. */
    isComplete: !isPart && !values.quick && !values.check,
    databases: chosen(values.database, ['postgres', 'mariadb']),
    workloads: chosen(values.only ?? (values.quick ? QUICK : undefined), [
      ...Object.keys(workloads),
      'rows',
      'keys',
      'start-up',
    ]),
    contenders: chosen(values.contenders, Object.keys(contenders)),
  }
}

/** A name also stands for those that begin with it and a dash: `hit` for `hit-16`, `ours` for ours alone. */
function chosen(list, names) {
  if (!list) return names
  return list.split(',').flatMap((wanted) => {
    if (names.includes(wanted)) return [wanted]
    const found = names.filter((name) => name.startsWith(`${wanted}-`))
    if (found.length === 0) throw new Error(`'${wanted}' is none of ${names.join(', ')}`)
    return found
  })
}
