import base from '../../jest.config.mjs'

const [{ transform }] = base.projects

/** The tarball as its users get it: packed, installed, loaded and type-checked. Slow, so `npm test` leaves it out. */
export default {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform,
  testTimeout: 120_000,
}
