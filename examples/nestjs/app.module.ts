import { Module } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { options } from '../../ormconfig.js'
import { PostsModule } from './posts.module.js'
import { UsersModule } from './users.module.js'

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...options, entityPrefix: 'example_', autoLoadEntities: true, synchronize: true }),
    UsersModule,
    PostsModule,
  ],
})
export class AppModule {}
