import {
  AfterLoad,
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  JoinColumn,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  RelationId,
  TableInheritance,
  Unique,
  VirtualColumn,
} from 'typeorm'
import { database } from './databases.js'
import { Team, User } from './entities.js'

@Entity()
export class Enrolment {
  @PrimaryColumn()
  course!: number

  @PrimaryColumn({ length: 40 })
  student!: string

  @Column({ type: 'varchar', length: 40, nullable: true })
  note!: string | null
}

/** The key is a relation, which has a property of its own and one for its column. */
@Entity()
export class Seat {
  @PrimaryColumn()
  teamId!: number

  @PrimaryColumn()
  position!: number

  @ManyToOne(() => Team)
  @JoinColumn()
  team!: Team

  @Column({ length: 40, default: 'free' })
  state!: string
}

@Entity()
export class Profile {
  @PrimaryGeneratedColumn()
  id!: number

  @OneToOne(() => Team)
  @JoinColumn()
  team!: Team

  @Column({ length: 40 })
  motto!: string
}

@Entity()
@TableInheritance({ column: { type: 'varchar', length: 20, name: 'type' } })
export class Vehicle {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  plate!: string

  loads = 0

  @AfterLoad()
  count() {
    this.loads += 1
  }
}

@ChildEntity()
export class Car extends Vehicle {
  @Column({ default: 4 })
  doors!: number

  @Column({ type: 'varchar', length: 20, nullable: true })
  color!: string | null
}

@ChildEntity('lorry')
export class Truck extends Vehicle {
  @Column({ default: 40 })
  tons!: number

  @ManyToOne(() => Team, { eager: true, nullable: true })
  owner!: Team | null
}

export interface Planet {
  id: number
  name: string
  moons: number
  ring: string | null
}

export const planetSchema = new EntitySchema<Planet>({
  name: 'Planet',
  columns: {
    id: { type: Number, primary: true, generated: 'increment' },
    name: { type: String, length: 40, unique: true },
    moons: { type: Number, default: 0 },
    ring: { type: String, length: 40, nullable: true },
  },
})

/** Names that mean something else, or nothing, unless they are quoted. */
@Entity('Group By')
@Unique('UQ Order By', ['order'])
export class Quoted {
  @PrimaryGeneratedColumn({ name: 'Select Id' })
  id!: number

  @Column({ length: 40, name: 'order' })
  order!: string

  @Column({ length: 40, name: 'MixedCase', default: 'x' })
  mixed!: string
}

@Entity({ name: 'Quoted Table', schema: 'Odd Schema' })
export class Elsewhere {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ length: 40, unique: true })
  code!: string

  @Column({ default: 3 })
  hits!: number
}

/** Columns that the database computes: one stored, one read with every row. */
@Entity()
export class Invoice {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  number!: string

  @Column()
  amount!: number

  @Column({ type: 'int', generatedType: 'STORED', asExpression: 'amount * 2', insert: false })
  doubled!: number
}

@Entity()
export class Receipt {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  number!: string

  @Column()
  amount!: number

  @VirtualColumn({ type: 'int', query: (alias) => `SELECT ${alias}.amount + 1` })
  next!: number
}

@Entity()
export class Author {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ unique: true, length: 40 })
  name!: string

  @OneToMany(
    () => Book,
    (book) => book.author,
  )
  books!: Book[]
}

@Entity()
export class Book {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  isbn!: string

  @ManyToOne(
    () => Author,
    (author) => author.books,
    { eager: true },
  )
  author!: Author

  @ManyToOne(() => Team, { nullable: true })
  team!: Team | null
}

@Entity()
export class Loan {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  number!: string

  @ManyToOne(() => Team, { nullable: true })
  team!: Team | null

  @RelationId((loan: Loan) => loan.team)
  teamId!: number
}

/** The property of a lazy relation is a promise. */
@Entity()
export class Letter {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  subject!: string

  @ManyToOne(() => Team, { lazy: true, nullable: true })
  team!: Promise<Team | null>
}

export const kindEntities = [
  Team,
  User,
  Enrolment,
  Seat,
  Profile,
  Vehicle,
  Car,
  Truck,
  planetSchema,
  Quoted,
  ...(database.hasSchemas ? [Elsewhere] : []),
  ...(database.hasGeneratedColumns ? [Invoice] : []),
  Receipt,
  Author,
  Book,
  Loan,
  Letter,
]
