import selection from './test/selection.cjs'

/** `TYPEORM=typeorm-0.3` runs everything against the older line, installed under that name beside the newer one. */
const typeorm = process.env.TYPEORM ?? 'typeorm'

const common = {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: [],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    ...(typeorm !== 'typeorm' && { '^typeorm$': typeorm, '^typeorm/(.*)$': `${typeorm}/$1` }),
  },
  setupFiles: ['reflect-metadata'],
}

export default {
  globalSetup: './test/global-setup.mjs',
  globalTeardown: './test/global-teardown.mjs',
  reporters: ['default', './test/coverage-reporter.mjs'],
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...common, displayName: 'nestjs', testMatch: ['<rootDir>/test/nestjs/*.test.ts'] },
    ...selection.selectedDatabases().map((database) => ({
      ...common,
      displayName: database,
      testMatch: ['<rootDir>/test/{behaviour,libraries,nestjs/example}/**/*.test.ts'],
      globals: { DATABASE: database },
    })),
  ],
}
