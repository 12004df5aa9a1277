import { join } from 'node:path'
import ts from 'typescript'
import { root, type Snippet, snippetsOf } from './snippets.js'

const application = join(__dirname, 'application')
const pages = ['README.md', 'docs/isolation.md', 'docs/migrating.md', 'docs/nestjs.md']
const snippets = pages.flatMap(snippetsOf)

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  // Not the browser's, where `name` means something.
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  paths: {
    'typeorm-get-or-create': [join(root, 'src/index.ts')],
    'typeorm-get-or-create/nestjs': [join(root, 'src/nestjs.ts')],
  },
}

/** Each example as a module of its own in the application: files that are nowhere but here. */
const modules = new Map(snippets.map((snippet, index) => [join(application, `snippet-${index}.ts`), moduleOf(snippet)]))

function moduleOf({ code }: Snippet): string {
  return `${code}\nexport {}\n`
}

let problems: readonly ts.Diagnostic[]

beforeAll(() => {
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => modules.has(file) || fileExists(file)
  host.readFile = (file) => modules.get(file) ?? readFile(file)
  host.getSourceFile = (file, ...rest) => {
    const code = modules.get(file)
    return code === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, code, ts.ScriptTarget.ES2022)
  }
  const program = ts.createProgram([join(application, 'globals.ts'), ...modules.keys()], options, host)
  problems = ts.getPreEmitDiagnostics(program)
})

test.each(pages)('%s has examples', (page) => {
  expect(snippetsOf(page)).not.toEqual([])
})

test.each(snippets.map(({ place }, index) => [place, index] as const))(
  'the example at %s compiles',
  (_place, index) => {
    expect(problemsIn(join(application, `snippet-${index}.ts`))).toEqual([])
  },
)

test('what the examples speak of compiles', () => {
  const elsewhere = problems.filter(({ file }) => !file || !modules.has(file.fileName))
  expect(elsewhere.map(textOf)).toEqual([])
})

function problemsIn(module: string): string[] {
  return problems.filter(({ file }) => file?.fileName === module).map(textOf)
}

function textOf({ file, start = 0, messageText }: ts.Diagnostic): string {
  const line = file ? file.text.slice(0, start).split('\n').length : 0
  return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}
