import { Body, Controller, Get, Injectable, Module, Post as PostMethod, Res } from '@nestjs/common'
import type { GetOrCreateRepository } from '../../src/index.js'
import { GetOrCreateModule, InjectGetOrCreateRepository } from '../../src/nestjs.js'
import { type Answer, answerWith } from './answer.js'
import { Post, Tag } from './entities.js'
import { textOf, textsOf } from './input.js'

@Injectable()
export class PostsService {
  constructor(
    @InjectGetOrCreateRepository(Post) private readonly posts: GetOrCreateRepository<Post>,
    @InjectGetOrCreateRepository(Tag) private readonly tags: GetOrCreateRepository<Tag>,
  ) {}

  /** A request that is sent again finds the post that the first one published. */
  publish(slug: string, title: string, labels: string[]): Promise<[post: Post, created: boolean]> {
    const values = async () => ({ title, tags: await this.tagsOf(labels) })
    return this.posts.getOrCreate({ slug }, values, { relations: { tags: true } })
  }

  all(): Promise<Post[]> {
    return this.posts.find({ relations: { tags: true }, order: { id: 'ASC' } })
  }

  private async tagsOf(labels: string[]): Promise<Tag[]> {
    const results = await this.tags.getOrCreateMany(labels.map((label) => ({ label: label.toLowerCase() })))
    return results.map(([tag]) => tag)
  }
}

@Controller('posts')
export class PostsController {
  constructor(private readonly posts: PostsService) {}

  @PostMethod()
  async publish(@Body() body: unknown, @Res({ passthrough: true }) answer: Answer): Promise<Post> {
    const [slug, title] = [textOf(body, 'slug'), textOf(body, 'title')]
    return answerWith(answer, await this.posts.publish(slug, title, textsOf(body, 'tags')))
  }

  @Get()
  all(): Promise<Post[]> {
    return this.posts.all()
  }
}

@Module({
  imports: [GetOrCreateModule.forFeature([Post, Tag], undefined, { uniqueness: 'require' })],
  controllers: [PostsController],
  providers: [PostsService],
})
export class PostsModule {}
