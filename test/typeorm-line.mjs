import { register } from 'node:module'

/** For processes outside of Jest: `TYPEORM=typeorm-0.3` means the older line, as in jest.config.mjs. */
const hooks = `
  const line = ${JSON.stringify(process.env.TYPEORM ?? 'typeorm')}
  export const resolve = (specifier, context, next) => next(specifier.replace(/^typeorm(?=$|\\/)/, line), context)
`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
