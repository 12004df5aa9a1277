import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Packs the package once, for all files and their applications. */
export default function pack() {
  const folder = mkdtempSync(join(tmpdir(), 'typeorm-get-or-create-packed-'))
  const output = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [{ filename, files }] = JSON.parse(output)
  globalThis.packedFolder = folder
  process.env.PACKED = JSON.stringify({ tarball: join(folder, filename), files: files.map(({ path }) => path) })
}
