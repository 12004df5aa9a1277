import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { rollup } from '@rollup/wasm-node'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const compile = (config) => execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' })

/** Node takes longer to find forty small modules than to run them: a few larger ones take their place. */
async function bundle() {
  const modules = await rollup({
    input: { index: 'dist/esm/index.js', nestjs: 'dist/esm/nestjs.js' },
    external: (id) => !/^[./]/.test(id),
    onwarn(warning) {
      // TypeScript's helpers for decorators look for a `this`, and functions may refer to each other across modules.
      if (warning.code === 'THIS_IS_UNDEFINED' || warning.code === 'CIRCULAR_DEPENDENCY') return
      throw new Error(warning.message)
    },
  })
  for (const file of readdirSync('dist/esm', { recursive: true }))
    if (file.endsWith('.js')) rmSync(join('dist/esm', file))
  for (const format of ['esm', 'cjs'])
    await modules.write({
      dir: join('dist', format),
      format,
      exports: 'named',
      esModule: true,
      chunkFileNames: '[name].js',
    })
}

process.chdir(new URL('..', import.meta.url).pathname)
rmSync('dist', { recursive: true, force: true })
compile('tsconfig.build.json')
compile('tsconfig.build.cjs.json')
await bundle()
// The package is "type": "module": without this, Node would read the CommonJS files as ES modules.
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n')
