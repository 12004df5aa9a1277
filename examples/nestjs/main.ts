/**
 * A service with sign-up by e-mail address, and tags on posts. However many requests come at once, there is one user for
 * an address, one post for a slug and one tag for a label.
 *
 *     npm run example:nestjs
 *     DATABASE_TYPE=postgres DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres npm run example:nestjs
 *
 *     curl localhost:3000/users --json '{ "email": "ada@example.com", "name": "Ada" }'
 *     curl localhost:3000/posts --json '{ "slug": "hello", "title": "Hello", "tags": ["news", "nest"] }'
 */
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'

const app = await NestFactory.create(AppModule)
app.enableShutdownHooks()
await app.listen(process.env.PORT ?? 3000)
console.log(`Sign up at ${await app.getUrl()}/users, publish at /posts.`)
