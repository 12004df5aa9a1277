import { execFileSync } from 'node:child_process'
import { quartiles } from './statistics.js'

const STARTS = 30

const script = (load, folder) => `
  (async () => {
    await ${load('typeorm')}
    const start = performance.now()
    await ${load(`../dist/${folder}/index.js`)}
    console.log(performance.now() - start)
  })()`

const kinds = {
  'ES module': ['--input-type=module', '--eval', script((name) => `import('${name}')`, 'esm')],
  CommonJS: ['--input-type=commonjs', '--eval', script((name) => `require('${name}')`, 'cjs')],
}

/** Milliseconds that importing the package takes where TypeORM is there already, in processes of their own. */
export function measureStartUp({ rounds, isCheck }, progress) {
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
  const starts = isCheck ? 1 : rounds < 9 ? 5 : STARTS
  for (let start = 1; start <= starts; start++) {
    progress(`start-up: ${start} of ${starts}`)
    for (const [kind, parameters] of Object.entries(kinds)) {
      times[kind].push(Number(execFileSync(process.execPath, parameters, { cwd: import.meta.dirname })))
    }
  }
  return Object.fromEntries(Object.entries(times).map(([kind, values]) => [kind, quartiles(values)]))
}
