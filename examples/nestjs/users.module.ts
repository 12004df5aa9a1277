import { Body, Controller, Get, Injectable, Module, Post, Res } from '@nestjs/common'
import type { GetOrCreateRepository } from '../../src/index.js'
import { GetOrCreateModule, InjectGetOrCreateRepository } from '../../src/nestjs.js'
import { type Answer, answerWith } from './answer.js'
import { User } from './entities.js'
import { textOf } from './input.js'

@Injectable()
export class UsersService {
  constructor(@InjectGetOrCreateRepository(User) private readonly users: GetOrCreateRepository<User>) {}

  /** Signing up twice, at once or a year later, is signing up once. */
  signUp(email: string, name: string): Promise<[user: User, created: boolean]> {
    return this.users.getOrCreate({ email: email.toLowerCase() }, { name })
  }

  all(): Promise<User[]> {
    return this.users.find({ order: { id: 'ASC' } })
  }
}

@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  async signUp(@Body() body: unknown, @Res({ passthrough: true }) answer: Answer): Promise<User> {
    return answerWith(answer, await this.users.signUp(textOf(body, 'email'), textOf(body, 'name')))
  }

  @Get()
  all(): Promise<User[]> {
    return this.users.all()
  }
}

@Module({
  imports: [GetOrCreateModule.forFeature([User])],
  controllers: [UsersController],
  providers: [UsersService],
})
export class UsersModule {}
