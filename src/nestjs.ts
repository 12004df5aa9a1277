import { randomUUID } from 'node:crypto'
import { type DynamicModule, type FactoryProvider, Inject, Module } from '@nestjs/common'
import { getDataSourceToken, getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm'
import type { DataSource, ObjectLiteral, Repository } from 'typeorm'
import type { GetOrCreateMixinOptions } from './options.js'
import { type GetOrCreateRepository, withGetOrCreate } from './repository.js'

/** An entity class or schema, as `TypeOrmModule.forFeature` takes it. */
export type FeatureEntity = Parameters<typeof getRepositoryToken>[0]

/** Which data source: its name, its options or itself; left out, the default one. */
export type FeatureDataSource = Parameters<typeof getDataSourceToken>[0]

/**
 * The injection token of an entity's repository with the methods of this package: a string, for tests and for providers of
 * your own.
 *
 * **Promise.** Equal for the same entity name and data source in every copy of the package, and never equal to the token
 * of `@InjectRepository`: both repositories can be injected side by side.
 *
 * @throws CircularDependencyException of `@nestjs/typeorm`, when the entity is still undefined
 *
 * @example
 * Test.createTestingModule({ imports: [SignupModule] })
 *   .overrideProvider(getGetOrCreateRepositoryToken(User))
 *   .useValue({ getOrCreate: async () => [ada, true] })
 */
export function getGetOrCreateRepositoryToken(entity: FeatureEntity, dataSource?: FeatureDataSource): string {
  const token = getRepositoryToken(entity, dataSource)
  return `${typeof token === 'string' ? token : token.name}WithGetOrCreate`
}

/**
 * Injects what `GetOrCreateModule.forFeature` provides for the entity: a `GetOrCreateRepository`. Where
 * `@nestjs/typeorm` would inject a `TreeRepository`, it is one.
 *
 * **Needs** `GetOrCreateModule.forFeature([User])`, with the same data source, among the imports of the module.
 *
 * @throws CircularDependencyException of `@nestjs/typeorm`, when the entity is still undefined
 *
 * @example
 * constructor(@InjectGetOrCreateRepository(User) private readonly users: GetOrCreateRepository<User>) {}
 */
export function InjectGetOrCreateRepository(
  entity: FeatureEntity,
  dataSource?: FeatureDataSource,
): ReturnType<typeof Inject> {
  return Inject(getGetOrCreateRepositoryToken(entity, dataSource))
}

/** Provides repositories with the methods of this package to the modules of a Nest application. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: to Nest, a module is a class.
export class GetOrCreateModule {
  /**
   * A module that provides and exports one repository for each entity, for `@InjectGetOrCreateRepository`.
   *
   * **Promise.** The repositories are made from the data source that `@nestjs/typeorm` provides, so an override of that
   * one reaches them. The entities count for `autoLoadEntities`. Each call is a feature with options of its own, also
   * where several are for the same entities. `TypeOrmModule.forFeature` is not needed beside it, and does no harm.
   *
   * **Needs** `TypeOrmModule.forRoot` or `forRootAsync`, once for each data source, at the root of the application.
   *
   * @param dataSource As for `TypeOrmModule.forFeature`: left out, the default one.
   * @param options Defaults for every call on these repositories.
   * @throws EntityMetadataNotFoundError when the application starts, for an entity that the data source does not have
   * @throws InvalidOptionsError when the application starts, for an option that is unknown or out of range
   * @throws GetOrCreateError when the application starts, where the database has no SQL
   *
   * @example
   * imports: [GetOrCreateModule.forFeature([User, Team])],
   *
   * @example
   * imports: [GetOrCreateModule.forFeature([Event], 'audit', { uniqueness: 'require' })],
   */
  static forFeature(
    entities: readonly FeatureEntity[],
    dataSource?: FeatureDataSource,
    options?: GetOrCreateMixinOptions,
  ): DynamicModule {
    // Called for what it notes down: the entities that `autoLoadEntities` will load.
    TypeOrmModule.forFeature([...entities], dataSource)
    // Nest 10 takes modules for one and the same when they are written alike. Neither the options nor two entities of one
    // name can be told apart in the text of a factory.
    const feature = randomUUID()
    const providers = entities.map((entity): FactoryProvider & { feature: string } => ({
      provide: getGetOrCreateRepositoryToken(entity, dataSource),
      inject: [getDataSourceToken(dataSource)],
      useFactory: (source: DataSource) => repositoryOf(source, entity, options),
      feature,
    }))
    return { module: GetOrCreateModule, providers, exports: providers.map(({ provide }) => provide) }
  }
}

function repositoryOf(
  dataSource: DataSource,
  entity: FeatureEntity,
  options: GetOrCreateMixinOptions | undefined,
): GetOrCreateRepository<ObjectLiteral> {
  // With `manualInitialization` the application starts before there is any metadata.
  const isTree = dataSource.isInitialized && dataSource.getMetadata(entity).treeType !== undefined
  const repository: Repository<ObjectLiteral> = isTree
    ? dataSource.getTreeRepository(entity)
    : dataSource.getRepository(entity)
  return withGetOrCreate(repository, options)
}
