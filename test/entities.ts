import {
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm'

@Entity()
export class Team {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  name!: string

  @OneToMany(
    () => User,
    (user) => user.team,
  )
  members!: User[]
}

@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  email!: string

  /** A second unique key, which criteria on the e-mail address leave open. */
  @Column({ type: 'varchar', length: 100, unique: true, nullable: true })
  handle!: string | null

  @Column({ length: 100 })
  name!: string

  @Column({ default: 7 })
  hits!: number

  @ManyToOne(
    () => Team,
    (team) => team.members,
    { nullable: true },
  )
  team!: Team | null

  @CreateDateColumn()
  createdAt!: Date

  @UpdateDateColumn()
  updatedAt!: Date

  @VersionColumn()
  version!: number
}

/** A key that is chosen, not generated. */
@Entity()
export class Country {
  @PrimaryColumn({ length: 2 })
  code!: string

  @Column({ length: 100 })
  name!: string
}

/** A unique key of a relation and a column. */
@Entity()
@Unique(['team', 'title'])
export class Role {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @ManyToOne(() => Team, { nullable: false })
  team!: Team

  @Column({ length: 100 })
  title!: string
}

@Entity()
export class Tag {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  label!: string
}

/** Relations that cascade, links in a join table, and soft deletion. */
@Entity()
export class Post {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  slug!: string

  @Column({ length: 100, default: 'untitled' })
  title!: string

  @ManyToOne(() => Team, { cascade: ['insert'], nullable: true })
  team!: Team | null

  @ManyToMany(() => Tag, { cascade: ['insert'] })
  @JoinTable()
  tags!: Tag[]

  @DeleteDateColumn()
  deletedAt!: Date | null
}

export const entities = [Team, User, Country, Role, Tag, Post]
