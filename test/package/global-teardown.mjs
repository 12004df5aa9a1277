import { rmSync } from 'node:fs'

export default function removePacked() {
  rmSync(globalThis.packedFolder, { recursive: true, force: true })
}
