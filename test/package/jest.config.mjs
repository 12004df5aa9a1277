import base from '../../jest.config.mjs'

const [{ transform, moduleNameMapper }] = base.projects

/** The tarball as its users get it: packed, installed, loaded and type-checked. Slow, so `npm test` leaves it out. */
export default {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  globalSetup: './global-setup.mjs',
  globalTeardown: './global-teardown.mjs',
  transform,
  moduleNameMapper,
  testTimeout: 120_000,
}
