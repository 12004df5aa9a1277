/** Entities whose columns and relations an update can go wrong with. */
import {
  AfterLoad,
  AfterUpdate,
  BeforeUpdate,
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  RelationId,
  Tree,
  TreeChildren,
  TreeParent,
  UpdateDateColumn,
  VersionColumn,
  VirtualColumn,
} from 'typeorm'
import { Team } from './entities.js'

export class Size {
  @Column({ default: 0 })
  width!: number

  @Column({ type: 'varchar', length: 20, nullable: true })
  unit!: string | null
}

/** A value of a class of its own, which whoever holds it can change. */
export class Money {
  constructor(public cents: number) {}
}

@Entity()
export class Gadget {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column(() => Size)
  size!: Size

  /** What is stored is not what was given. */
  @Column({
    type: 'varchar',
    length: 40,
    default: 'none',
    transformer: { to: (label?: string) => label?.toLowerCase(), from: (label: string) => label },
  })
  label!: string

  @Column({
    type: 'int',
    default: 0,
    transformer: { to: (money?: Money) => money?.cents, from: (cents: number) => new Money(cents) },
  })
  price!: Money

  @Column({ type: 'simple-json', nullable: true })
  settings!: { units: string[]; limits?: { max: number } } | null

  @Column({ type: 'simple-array', nullable: true })
  marks!: string[] | null

  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true })
  weight!: string | number | null

  @Column({ type: Date, nullable: true })
  soldAt!: Date | null

  @Column({ type: 'date', nullable: true })
  day!: string | null

  @Column({ default: false })
  active!: boolean

  @Column({ type: 'bigint', nullable: true })
  serial!: string | number | null

  @Column({ type: 'varchar', length: 40, nullable: true, select: false })
  secret!: string | null

  @Column({ type: 'text', nullable: true })
  note!: string | null
}

/** Dates and a version that TypeORM keeps, and fields that no column stands for. */
@Entity()
export class Counter {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  path!: string

  @Column({ default: 0 })
  hits!: number

  @CreateDateColumn()
  createdAt!: Date

  @UpdateDateColumn()
  updatedAt!: Date

  @VersionColumn()
  version!: number

  doubled!: number

  @AfterLoad()
  double() {
    this.doubled = this.hits * 2
  }
}

/** A foreign key that is declared beside its relation, and one that is read by its id only. */
@Entity()
export class Contract {
  @PrimaryColumn({ length: 40 })
  number!: string

  @Column({ type: 'int', nullable: true })
  teamId!: number | null

  @ManyToOne(() => Team, { nullable: true })
  @JoinColumn({ name: 'teamId' })
  team!: Team | null

  @ManyToOne(() => Team, { nullable: true })
  partner!: Team | null

  @RelationId((contract: Contract) => contract.partner)
  partnerId!: number | null
}

/** Columns that somebody else writes, or nobody, or only an INSERT, or only an UPDATE. */
@Entity()
export class Ledger {
  @PrimaryColumn({ length: 40 })
  code!: string

  @Column({ default: 0 })
  amount!: number

  @Column({ default: 1, update: false })
  opening!: number

  @Column({ default: 2, insert: false })
  closing!: number

  @VirtualColumn({ type: 'int', query: (alias) => `SELECT ${alias}.amount + 1` })
  next!: number
}

/** A column that MySQL sets with every UPDATE; elsewhere it stays empty. */
@Entity()
export class Sensor {
  @PrimaryColumn({ length: 40 })
  code!: string

  @Column({ default: 0 })
  reading!: number

  @Column({ type: Date, precision: 6, nullable: true, onUpdate: 'CURRENT_TIMESTAMP(6)' })
  touchedAt!: Date | null

  @Column({ default: 1, update: false })
  model!: number
}

@Entity()
@Tree('materialized-path')
export class Shelf {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @TreeParent()
  parent!: Shelf | null

  @TreeChildren()
  children!: Shelf[]
}

@Entity()
@Tree('closure-table')
export class Topic {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @TreeParent()
  parent!: Topic | null

  @TreeChildren()
  children!: Topic[]
}

/** What listeners and subscribers were told, in order. */
export const heard: unknown[] = []

@Entity()
export class Story {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  slug!: string

  @Column({ length: 80, default: 'untitled' })
  title!: string

  @Column({ type: 'varchar', length: 80, nullable: true })
  editedBy!: string | null

  @ManyToOne(() => Team, { nullable: true })
  team!: Team | null

  @VersionColumn()
  version!: number

  @BeforeUpdate()
  before() {
    heard.push(['BeforeUpdate', this.title])
    this.editedBy = `listener of ${this.title}`
  }

  @AfterUpdate()
  after() {
    heard.push(['AfterUpdate', this.title, this.version])
  }
}

export const updateEntities = [Gadget, Counter, Contract, Ledger, Sensor, Shelf, Topic, Story]
