import { application, run } from './running.js'
import { snippetsOf } from './snippets.js'

/** The first screen of the README. */
const [firstScreen] = snippetsOf('README.md')
const packages = ['typeorm', 'sql.js']
const seen = 'console.log(JSON.stringify({ user, created }))'
const whatItShows = { user: { id: 1, email: 'ada@example.com', name: 'Ada' }, created: true }

test('the first example of the README runs as an ES module', () => {
  const code = `${firstScreen?.code}\n${seen}\n`
  expect(run(application('module', packages), code)).toEqual(whatItShows)
})

test('the first example of the README runs as CommonJS', () => {
  // CommonJS has no `await` outside of a function.
  const [, imports, statements] = /^((?:import [^\n]*\n)+)(.*)$/s.exec(firstScreen?.code ?? '') ?? []
  const code = `${imports}\nasync function main() {\n${statements}\n${seen}\n}\nvoid main()\n`
  expect(run(application('commonjs', packages), code)).toEqual(whatItShows)
})
