import 'reflect-metadata'
import { Body, Controller, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm'
import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import type { GetOrCreateRepository } from 'typeorm-get-or-create'
import { GetOrCreateModule, InjectGetOrCreateRepository } from 'typeorm-get-or-create/nestjs'

@Entity()
class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string
}

@Controller('users')
class UsersController {
  constructor(@InjectGetOrCreateRepository(User) private readonly users: GetOrCreateRepository<User>) {}

  @Post()
  async signUp(@Body() { email }: { email: string }): Promise<{ id: number; created: boolean }> {
    const [user, created] = await this.users.getOrCreate({ email })
    return { id: user.id, created }
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'sqljs', autoLoadEntities: true, synchronize: true }),
    GetOrCreateModule.forFeature([User]),
  ],
  controllers: [UsersController],
})
class AppModule {}

/** 100 requests at once to a service. Says what came of them. */
async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] })
  await app.listen(0, '127.0.0.1')
  const url = `${await app.getUrl()}/users`
  const responses = await Promise.all(Array.from({ length: 100 }, () => signUp(url)))
  const bodies = await Promise.all(responses.map((response) => response.json() as Promise<{ created: boolean }>))
  const dataSource: DataSource = app.get(getDataSourceToken())
  const seen = {
    statuses: [...new Set(responses.map(({ status }) => status))],
    creators: bodies.filter(({ created }) => created).length,
    rows: await dataSource.getRepository(User).count(),
  }
  console.log(JSON.stringify(seen))
  await app.close()
}

function signUp(url: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify({ email: 'ada@example.com' }) })
}

main()
