import {
  Column,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm'

@Entity()
export class Agency {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  name!: string
}

@Entity()
export class Artist {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 60 })
  name!: string

  @ManyToOne(() => Agency, { cascade: true, nullable: true })
  agency!: Agency | null
}

@Entity()
export class Publisher {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 60 })
  name!: string
}

@Entity()
export class Genre {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  name!: string
}

@Entity()
export class Album {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  title!: string

  @Column({ default: 0 })
  stars!: number

  @ManyToOne(() => Artist, { cascade: ['insert'], nullable: true })
  artist!: Artist | null

  /** Neither of these two cascades. */
  @ManyToOne(() => Publisher, { nullable: true })
  publisher!: Publisher | null

  @ManyToMany(() => Publisher)
  @JoinTable()
  resellers!: Publisher[]

  @ManyToMany(() => Genre, { cascade: ['insert'] })
  @JoinTable()
  genres!: Genre[]

  @OneToMany(
    () => Track,
    (track) => track.album,
    { cascade: ['insert'] },
  )
  tracks!: Track[]

  @OneToOne(
    () => Cover,
    (cover) => cover.album,
    { cascade: true },
  )
  cover!: Cover | null
}

@Entity()
@Unique(['album', 'position'])
export class Track {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column()
  position!: number

  @Column({ length: 60 })
  name!: string

  @ManyToOne(
    () => Album,
    (album) => album.tracks,
  )
  album!: Album

  @ManyToOne(() => Artist, { cascade: true, nullable: true })
  guest!: Artist | null
}

@Entity()
export class Cover {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 60 })
  picture!: string

  @OneToOne(
    () => Album,
    (album) => album.cover,
  )
  @JoinColumn()
  album!: Album
}

/** A chosen key, which `save()` would take for that of a row to be overwritten. */
@Entity()
export class Venue {
  @PrimaryColumn({ length: 60 })
  code!: string

  @Column({ length: 60, default: 'unnamed' })
  name!: string

  @ManyToOne(() => Artist, { cascade: true, nullable: true })
  owner!: Artist | null
}

export const cascadeEntities = [Agency, Artist, Publisher, Genre, Album, Track, Cover, Venue]
