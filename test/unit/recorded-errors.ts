import type { FailureKind, UniqueViolation } from '../../src/dialects/dialect.js'

/**
 * Errors of every driver, each with the properties that it has and with what it means.
 *
 * Those of PostgreSQL 15 (`pg`), MariaDB 10.11 (`mysql2`), `better-sqlite3` and `sql.js` were recorded. Those of the
 * databases that could not be asked are put together from the pages and threads that are named above them.
 */
export interface RecordedError {
  readonly error: Readonly<Record<string, unknown>> & { readonly message: string }
  /** Absent: an error that is neither a race nor transient. */
  readonly kind?: FailureKind
  /** For a unique violation: all the facts, and no more, that the driver gives. */
  readonly violates?: UniqueViolation
}

const postgres = (code: string, message: string, more = {}) => ({
  message,
  name: 'error',
  length: 181,
  severity: 'ERROR',
  code,
  detail: undefined,
  hint: undefined,
  schema: undefined,
  table: undefined,
  column: undefined,
  constraint: undefined,
  file: 'nbtinsert.c',
  line: '664',
  routine: '_bt_check_unique',
  ...more,
})

const postgresErrors: Record<string, RecordedError> = {
  'a unique constraint': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq_email"', {
      detail: 'Key (email)=(a@x) already exists.',
      schema: 'public',
      table: 'users',
      constraint: 'uq_email',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq_email', table: 'users', columns: ['email'] },
  },
  'a key of two columns': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq_ab"', {
      detail: 'Key (a, b)=(1, 2) already exists.',
      table: 'users',
      constraint: 'uq_ab',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq_ab', table: 'users', columns: ['a', 'b'] },
  },
  'names that had to be quoted, and a value that looks like a key': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq (odd)"', {
      detail: 'Key ("we,ird ""c(ol", "Other")=(x(1)=(2), 1) already exists.',
      table: 'od)d "Tab',
      constraint: 'uq (odd)',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq (odd)', table: 'od)d "Tab', columns: ['we,ird "c(ol', 'Other'] },
  },
  'an index on an expression, which has no columns': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq_lower"', {
      detail: 'Key (lower(email))=(a) already exists.',
      table: 'ex',
      constraint: 'uq_lower',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq_lower', table: 'ex' },
  },
  'an index on an expression, and a value that looks like a key': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq_lower"', {
      detail: 'Key (lower(email))=(a (b)=(c)) already exists.',
      table: 'ex',
      constraint: 'uq_lower',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq_lower', table: 'ex' },
  },
  'an index on an expression and a column': {
    error: postgres('23505', 'duplicate key value violates unique constraint "uq_lower_k"', {
      detail: 'Key (lower(email), k)=(a (b)=(c), 1) already exists.',
      table: 'ex',
      constraint: 'uq_lower_k',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'uq_lower_k', table: 'ex' },
  },
  'a partition, which goes by its own name': {
    error: postgres('23505', 'duplicate key value violates unique constraint "part_1_k_v_key"', {
      detail: 'Key (k, v)=(1, 1) already exists.',
      table: 'part_1',
      constraint: 'part_1_k_v_key',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'part_1_k_v_key', table: 'part_1', columns: ['k', 'v'] },
  },
  'row-level security, which hides the detail': {
    error: postgres('23505', 'duplicate key value violates unique constraint "rls_k_key"', {
      table: 'rls',
      constraint: 'rls_k_key',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'rls_k_key', table: 'rls' },
  },
  'a trigger that raises unique_violation': {
    error: postgres('23505', 'my own', { routine: 'exec_stmt_raise' }),
    kind: 'uniqueViolation',
    violates: {},
  },
  'an exclusion constraint': {
    error: postgres('23P01', 'conflicting key value violates exclusion constraint "ex_during_excl"', {
      detail: 'Key (during)=([2,3)) conflicts with existing key (during)=([1,5)).',
      table: 'ex',
      constraint: 'ex_during_excl',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'ex_during_excl', table: 'ex', columns: ['during'] },
  },
  'NOT NULL': {
    error: postgres('23502', 'null value in column "n" of relation "users" violates not-null constraint', {
      detail: 'Failing row contains (9, null, null, null, null, null).',
      table: 'users',
      column: 'n',
    }),
  },
  CHECK: {
    error: postgres('23514', 'new row for relation "users" violates check constraint "pos"', { constraint: 'pos' }),
  },
  'a foreign key': {
    error: postgres('23503', 'insert or update on table "child" violates foreign key constraint "child_u_fkey"', {
      detail: 'Key (u)=(99) is not present in table "users".',
      constraint: 'child_u_fkey',
    }),
  },
  'a function that says duplicate': {
    error: postgres('P0001', 'duplicate key value violates unique constraint "x"', { routine: 'exec_stmt_raise' }),
  },
  syntax: { error: postgres('42601', 'syntax error at or near "selec"') },
  'an aborted transaction': {
    error: postgres('25P02', 'current transaction is aborted, commands ignored until end of transaction block'),
  },
  'a statement timeout': { error: postgres('57014', 'canceling statement due to statement timeout') },
  'a deadlock': { error: postgres('40P01', 'deadlock detected'), kind: 'deadlock' },
  serialization: {
    error: postgres('40001', 'could not serialize access due to concurrent update'),
    kind: 'serializationFailure',
  },
  NOWAIT: { error: postgres('55P03', 'could not obtain lock on row in relation "users"'), kind: 'lockTimeout' },
  'an administrator': {
    error: postgres('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' }),
    kind: 'connectionLost',
  },
  // The texts below are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
  'a crash': {
    error: postgres('57P02', 'terminating connection because of crash of another server process', {
      severity: 'FATAL',
    }),
    kind: 'connectionLost',
  },
  'a connection exception': { error: postgres('08000', 'connection exception'), kind: 'connectionLost' },
  'no connection': { error: postgres('08003', 'connection does not exist'), kind: 'connectionLost' },
  'a connection failure': { error: postgres('08006', 'connection failure'), kind: 'connectionLost' },
}

/** https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference */
const cockroachErrors: Record<string, RecordedError> = {
  'a unique constraint': {
    error: postgres('23505', 'duplicate key value violates unique constraint "users_email_key"', {
      detail: "Key (email)=('a@x') already exists.",
      schema: 'public',
      table: 'users',
      constraint: 'users_email_key',
      routine: 'NewUniquenessConstraintViolationError',
    }),
    kind: 'uniqueViolation',
    violates: { constraint: 'users_email_key', table: 'users', columns: ['email'] },
  },
  'a transaction to be retried': {
    error: postgres('40001', 'restart transaction: TransactionRetryWithProtoRefreshError: WriteTooOldError'),
    kind: 'serializationFailure',
  },
}

const mysql = (errno: number, code: string | undefined, sqlState: string, sqlMessage: string) => ({
  message: sqlMessage,
  ...(code && { code }),
  errno,
  sqlState,
  sqlMessage,
  sql: 'insert into users(id,email,n) values(2,?,1)',
})
const duplicate = (sqlMessage: string) => mysql(1062, 'ER_DUP_ENTRY', '23000', sqlMessage)

const mariadbErrors: Record<string, RecordedError> = {
  'a unique index': {
    error: duplicate("Duplicate entry 'a@x' for key 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'a primary key': {
    error: duplicate("Duplicate entry '1' for key 'PRIMARY'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'PRIMARY' },
  },
  'a value that names a key': {
    error: duplicate("Duplicate entry 'it's key 'UQ_fake'' for key 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'in French': {
    error: duplicate("Duplicata du champ 'a@x' pour la clef 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'in German': {
    error: duplicate("Doppelter Eintrag 'a@x' für Schlüssel 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'in Russian': {
    error: duplicate("Дублирующаяся запись 'a@x' по ключу 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'in Japanese': {
    error: duplicate("'a@x' は索引 'UQ_email' で重複しています。"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'NOT NULL, which shares the SQLSTATE': {
    error: mysql(1048, 'ER_BAD_NULL_ERROR', '23000', "Column 'n' cannot be null"),
  },
  'a foreign key on delete, which shares the SQLSTATE': {
    error: mysql(1451, 'ER_ROW_IS_REFERENCED_2', '23000', 'Cannot delete or update a parent row: a foreign key …'),
  },
  'a foreign key on insert, which shares the SQLSTATE': {
    error: mysql(1452, 'ER_NO_REFERENCED_ROW_2', '23000', 'Cannot add or update a child row: a foreign key …'),
  },
  'CHECK, which shares the SQLSTATE and has a name by mistake': {
    error: mysql(4025, 'ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE', '23000', 'CONSTRAINT `pos` failed for `test`.`users`'),
  },
  'no default': {
    error: mysql(1364, 'ER_NO_DEFAULT_FOR_FIELD', 'HY000', "Field 'n' doesn't have a default value"),
  },
  'a procedure that says duplicate': {
    error: mysql(1644, 'ER_SIGNAL_EXCEPTION', '45000', "Duplicate entry 'x' for key 'y'"),
  },
  'a statement timeout, without a code': {
    error: mysql(1969, undefined, '70100', 'Query execution was interrupted (max_statement_time exceeded)'),
  },
  'a deadlock': {
    error: mysql(1213, 'ER_LOCK_DEADLOCK', '40001', 'Deadlock found when trying to get lock; try restarting …'),
    kind: 'deadlock',
  },
  'snapshot isolation': {
    error: mysql(
      1020,
      'ER_CHECKREAD',
      'HY000',
      "Record has changed since last read in table 'users'; try restarting …",
    ),
    kind: 'serializationFailure',
  },
  'a lock timeout, whose number is a deadlock on SQL Server': {
    error: mysql(1205, 'ER_LOCK_WAIT_TIMEOUT', 'HY000', 'Lock wait timeout exceeded; try restarting transaction'),
    kind: 'lockTimeout',
  },
  'a killed connection': {
    error: {
      message: 'Connection lost: The server closed the connection.',
      fatal: true,
      code: 'PROTOCOL_CONNECTION_LOST',
    },
    kind: 'connectionLost',
  },
  'the statement after that': {
    error: { message: "Can't add new command when connection is in closed state", fatal: true },
  },
  // https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
  'a connection that KILL ended': {
    error: mysql(1927, 'ER_CONNECTION_KILLED', '70100', 'Connection was killed'),
    kind: 'connectionLost',
  },
}

/** Texts of https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, in the shape of `mysql2`. */
const mysqlErrors: Record<string, RecordedError> = {
  'a key with its table, since 8.0.19': {
    error: duplicate("Duplicate entry 'a@x' for key 'users.UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email', table: 'users' },
  },
  'a primary key with its table': {
    error: duplicate("Duplicate entry '1' for key 'users.PRIMARY'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'PRIMARY', table: 'users' },
  },
  ER_DUP_ENTRY_WITH_KEY_NAME: {
    error: mysql(1586, 'ER_DUP_ENTRY_WITH_KEY_NAME', '23000', "Duplicate entry 'a@x' for key 'users.UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email', table: 'users' },
  },
  'ER_DUP_KEY, which names the table only': {
    error: mysql(1022, 'ER_DUP_KEY', '23000', "Can't write; duplicate key in table 'users'"),
    kind: 'uniqueViolation',
    violates: { table: 'users' },
  },
  'ER_DUP_UNIQUE, which names the table only': {
    error: mysql(1169, 'ER_DUP_UNIQUE', '23000', "Can't write, because of unique constraint, to table 'users'"),
    kind: 'uniqueViolation',
    violates: { table: 'users' },
  },
  'a cascade to a child table that is named': {
    error: mysql(
      1761,
      'ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO',
      '23000',
      "Foreign key constraint for table 'users', record '1' would lead to a duplicate entry in table 'child', key 'UQ_u'",
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_u' },
  },
  'a cascade to a child table that is not named': {
    error: mysql(
      1762,
      'ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO',
      '23000',
      "Foreign key constraint for table 'users', record '1' would lead to a duplicate entry in a child table",
    ),
    kind: 'uniqueViolation',
    violates: {},
  },
  ER_DUP_UNKNOWN_IN_INDEX: {
    error: mysql(1859, 'ER_DUP_UNKNOWN_IN_INDEX', '23000', "Duplicate entry for key 'UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  NOWAIT: {
    error: mysql(3572, 'ER_LOCK_NOWAIT', 'HY000', 'Statement aborted because lock(s) could not be acquired …'),
    kind: 'lockTimeout',
  },
  CHECK: {
    error: mysql(3819, 'ER_CHECK_CONSTRAINT_VIOLATED', 'HY000', "Check constraint 'pos' is violated."),
  },
  'a shutdown': {
    error: mysql(1053, 'ER_SERVER_SHUTDOWN', '08S01', 'Server shutdown in progress'),
    kind: 'connectionLost',
  },
}

const betterSqlite = (code: string, message: string) => ({ message, name: 'SqliteError', code })

const betterSqliteErrors: Record<string, RecordedError> = {
  'a unique column': {
    error: betterSqlite('SQLITE_CONSTRAINT_UNIQUE', 'UNIQUE constraint failed: users.email'),
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['email'] },
  },
  'a key of two columns': {
    error: betterSqlite('SQLITE_CONSTRAINT_UNIQUE', 'UNIQUE constraint failed: users.a, users.b'),
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['a', 'b'] },
  },
  'a primary key': {
    error: betterSqlite('SQLITE_CONSTRAINT_PRIMARYKEY', 'UNIQUE constraint failed: users.id'),
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['id'] },
  },
  'a rowid': {
    error: betterSqlite('SQLITE_CONSTRAINT_ROWID', 'UNIQUE constraint failed: nopk.rowid'),
    kind: 'uniqueViolation',
    violates: { table: 'nopk', columns: ['rowid'] },
  },
  'an index on an expression': {
    error: betterSqlite('SQLITE_CONSTRAINT_UNIQUE', "UNIQUE constraint failed: index 'ux_expr'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'ux_expr' },
  },
  'a trigger that says UNIQUE': {
    error: betterSqlite('SQLITE_CONSTRAINT_TRIGGER', 'UNIQUE constraint failed: not really'),
  },
  'NOT NULL': { error: betterSqlite('SQLITE_CONSTRAINT_NOTNULL', 'NOT NULL constraint failed: users.n') },
  CHECK: { error: betterSqlite('SQLITE_CONSTRAINT_CHECK', 'CHECK constraint failed: pos') },
  'a foreign key': { error: betterSqlite('SQLITE_CONSTRAINT_FOREIGNKEY', 'FOREIGN KEY constraint failed') },
  'a table that is not there': { error: betterSqlite('SQLITE_ERROR', 'no such table: nowhere') },
  'a database that may only be read': {
    error: betterSqlite('SQLITE_READONLY', 'attempt to write a readonly database'),
  },
  'a second writer': { error: betterSqlite('SQLITE_BUSY', 'database is locked'), kind: 'deadlock' },
  'a writer with an old snapshot': {
    error: betterSqlite('SQLITE_BUSY_SNAPSHOT', 'database is locked'),
    kind: 'serializationFailure',
  },
  // https://www.sqlite.org/rescode.html
  'a recovery by another process': {
    error: betterSqlite('SQLITE_BUSY_RECOVERY', 'database is locked'),
    kind: 'deadlock',
  },
  'a lock that timed out': { error: betterSqlite('SQLITE_BUSY_TIMEOUT', 'database is locked'), kind: 'lockTimeout' },
  'a table lock of the shared cache': {
    error: betterSqlite('SQLITE_LOCKED', 'database table is locked'),
    kind: 'lockTimeout',
  },
}

const sqljsErrors: Record<string, RecordedError> = {
  'a unique column': {
    error: { message: 'UNIQUE constraint failed: users.email' },
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['email'] },
  },
  'a key of two columns': {
    error: { message: 'UNIQUE constraint failed: users.a, users.b' },
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['a', 'b'] },
  },
  'an index on an expression': {
    error: { message: "UNIQUE constraint failed: index 'ux_expr'" },
    kind: 'uniqueViolation',
    violates: { constraint: 'ux_expr' },
  },
  'NOT NULL': { error: { message: 'NOT NULL constraint failed: users.n' } },
  CHECK: { error: { message: 'CHECK constraint failed: pos' } },
  'a foreign key': { error: { message: 'FOREIGN KEY constraint failed' } },
  'a table that is not there': { error: { message: 'no such table: nowhere' } },
}

/** The other drivers of SQLite, which report the primary code or none, and the rest in the message. */
const sqliteFlavours: Record<string, RecordedError> = {
  // `sqlite3`: https://github.com/TryGhost/node-sqlite3/wiki/API, the primary code in `errno` and `code`.
  'sqlite3: a unique column': {
    error: {
      message: 'SQLITE_CONSTRAINT: UNIQUE constraint failed: users.email',
      errno: 19,
      code: 'SQLITE_CONSTRAINT',
    },
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['email'] },
  },
  'sqlite3: NOT NULL': {
    error: { message: 'SQLITE_CONSTRAINT: NOT NULL constraint failed: users.n', errno: 19, code: 'SQLITE_CONSTRAINT' },
  },
  'sqlite3: a second writer': {
    error: { message: 'SQLITE_BUSY: database is locked', errno: 5, code: 'SQLITE_BUSY' },
    kind: 'deadlock',
  },
  // `expo-sqlite`: https://github.com/expo/expo/issues/30600
  'expo-sqlite: a unique column': {
    error: {
      message:
        "Call to function 'NativeStatement.finalizeAsync' has been rejected.\n→ Caused by: Error code 19: UNIQUE constraint failed: tags.name",
    },
    kind: 'uniqueViolation',
    violates: { table: 'tags', columns: ['name'] },
  },
  'expo-sqlite: a second writer': {
    error: {
      message:
        "Call to function 'NativeDatabase.execAsync' has been rejected.\n→ Caused by: Error code 5: database is locked",
    },
    kind: 'deadlock',
  },
  // `react-native-sqlite-2`: https://github.com/craftzdog/react-native-sqlite-2/issues/51
  'react-native-sqlite-2: a unique column': {
    error: { message: 'Error code 19: UNIQUE constraint failed: document-store.id' },
    kind: 'uniqueViolation',
    violates: { table: 'document-store', columns: ['id'] },
  },
  // Android's own text: https://github.com/greenrobot/greenDAO/issues/1034
  'react-native-sqlite-storage: a unique column': {
    error: {
      message: 'UNIQUE constraint failed: users.email (code 2067 SQLITE_CONSTRAINT_UNIQUE)',
      code: 0,
    },
    kind: 'uniqueViolation',
    violates: { table: 'users', columns: ['email'] },
  },
}

/** `RequestError` of `mssql`: https://github.com/typeorm/typeorm/pull/2120 has one in full. */
const mssql = (number: number, message: string, severity = 14) => ({
  message: `Error: ${message}`,
  name: 'RequestError',
  code: 'EREQUEST',
  number,
  lineNumber: 1,
  state: 1,
  class: severity,
  serverName: '90e3ec93ea98',
  procName: '',
  originalError: { info: { name: 'ERROR', event: 'errorMessage', number, message } },
  precedingErrors: [],
})

/** Texts of https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors */
const mssqlErrors: Record<string, RecordedError> = {
  'a unique constraint': {
    error: mssql(
      2627,
      "Violation of UNIQUE KEY constraint 'UQ_code'. Cannot insert duplicate key in object 'dbo.country'. The duplicate key value is (US).",
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_code', table: 'dbo.country' },
  },
  'a value with quotes': {
    error: mssql(
      2627,
      "Violation of PRIMARY KEY constraint 'PK_code'. Cannot insert duplicate key in object 'dbo.country'. The duplicate key value is (it's 'US').",
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'PK_code', table: 'dbo.country' },
  },
  'a unique index': {
    error: mssql(
      2601,
      "Cannot insert duplicate key row in object 'dbo.users' with unique index 'IX_email'. The duplicate key value is (a@x).",
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'IX_email', table: 'dbo.users' },
  },
  'in German, where the names are quoted otherwise': {
    error: mssql(
      2627,
      'Verletzung der PRIMARY KEY-Einschränkung "PK_code". Ein doppelter Schlüssel kann in das dbo.country-Objekt nicht eingefügt werden. Der doppelte Schlüsselwert ist (10000).',
    ),
    kind: 'uniqueViolation',
    violates: {},
  },
  'NOT NULL': { error: mssql(515, "Cannot insert the value NULL into column 'n', table 'test.dbo.users'; …", 16) },
  'a foreign key': {
    error: mssql(547, 'The INSERT statement conflicted with the FOREIGN KEY constraint "FK_u". …', 16),
  },
  'a deadlock, whose number is a lock timeout on MySQL': {
    error: mssql(1205, 'Transaction (Process ID 84) was deadlocked on lock resources with another process …', 13),
    kind: 'deadlock',
  },
  'snapshot isolation': {
    error: mssql(3960, 'Snapshot isolation transaction aborted due to update conflict. …', 16),
    kind: 'serializationFailure',
  },
  'a lock timeout': { error: mssql(1222, 'Lock request time out period exceeded.', 16), kind: 'lockTimeout' },
  'a socket': {
    error: { message: 'Failed to connect to localhost:1433', name: 'ConnectionError', code: 'ESOCKET' },
  },
}

/** https://node-oracledb.readthedocs.io/en/latest/api_manual/errors.html */
const oracle = (errorNum: number, code: string, text: string) => ({
  message: `${code}: ${text}\nHelp: https://docs.oracle.com/error-help/db/${code.toLowerCase()}/`,
  offset: 0,
  errorNum,
  code,
})

const oracleErrors: Record<string, RecordedError> = {
  'a unique constraint': {
    error: oracle(1, 'ORA-00001', 'unique constraint (HR.UQ_EMAIL) violated'),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_EMAIL' },
  },
  'NOT NULL': { error: oracle(1400, 'ORA-01400', 'cannot insert NULL into ("HR"."USERS"."N")') },
  'a foreign key': {
    error: oracle(2291, 'ORA-02291', 'integrity constraint (HR.FK_U) violated - parent key not found'),
  },
  'a deadlock': { error: oracle(60, 'ORA-00060', 'deadlock detected while waiting for resource'), kind: 'deadlock' },
  serialization: {
    error: oracle(8177, 'ORA-08177', "can't serialize access for this transaction"),
    kind: 'serializationFailure',
  },
  NOWAIT: {
    error: oracle(54, 'ORA-00054', 'resource busy and acquire with NOWAIT specified or timeout expired'),
    kind: 'lockTimeout',
  },
  'WAIT n': {
    error: oracle(30006, 'ORA-30006', 'resource busy; acquire with WAIT timeout expired'),
    kind: 'lockTimeout',
  },
  'a killed session': { error: oracle(28, 'ORA-00028', 'your session has been killed'), kind: 'connectionLost' },
  'the end of the channel': {
    error: oracle(3113, 'ORA-03113', 'end-of-file on communication channel'),
    kind: 'connectionLost',
  },
  'no connection': { error: oracle(3114, 'ORA-03114', 'not connected to ORACLE'), kind: 'connectionLost' },
  'the driver itself': { error: { message: 'NJS-003: invalid or closed connection', code: 'NJS-003' } },
}

/** https://github.com/SAP/node-hdb/issues/93 has an error of `hdb` in full; `@sap/hana-client` gives `code` and `sqlState`. */
const hana = (code: number, message: string) => ({ message, code, sqlState: 'HY000' })

/** Codes of https://help.sap.com/docs/SAP_HANA_PLATFORM/4fe29514fd584807ac9f2a04f6754767/20a78d3275191014b41bae7c4a46d835.html */
const sapErrors: Record<string, RecordedError> = {
  'a unique index': {
    error: hana(301, 'unique constraint violated: Table(USERS), Index(UQ_EMAIL)'),
    kind: 'uniqueViolation',
  },
  'a unique index, by hdb': {
    error: {
      ...hana(301, 'unique constraint violated: Table(USERS), Index(UQ_EMAIL)'),
      level: 1,
      position: 0,
      fatal: false,
    },
    kind: 'uniqueViolation',
  },
  'NOT NULL': { error: hana(287, 'cannot insert NULL or update to NULL: N') },
  'a table that is not there': {
    error: { ...hana(259, 'invalid table name:  Could not find table/view USERS'), level: 1, position: 26 },
  },
  'a deadlock': { error: hana(133, 'transaction rolled back by detected deadlock'), kind: 'deadlock' },
  serialization: { error: hana(138, 'transaction serialization failure'), kind: 'serializationFailure' },
  NOWAIT: {
    error: hana(146, 'resource busy and acquire with NOWAIT specified'),
    kind: 'lockTimeout',
  },
  'a lock timeout': {
    error: hana(131, 'transaction rolled back by lock wait timeout'),
    kind: 'lockTimeout',
  },
  'a lost connection': { error: hana(-10807, 'Connection down: Socket closed by peer'), kind: 'connectionLost' },
}

/** A gRPC status: https://grpc.github.io/grpc/node/grpc.html#~ServiceError */
const spanner = (code: number, name: string, details: string) => ({
  message: `${code} ${name}: ${details}`,
  code,
  details,
  metadata: { internalRepr: {}, options: {} },
})

const spannerErrors: Record<string, RecordedError> = {
  // https://github.com/googleapis/python-spanner-django/issues/154
  'a primary key': {
    error: spanner(6, 'ALREADY_EXISTS', 'Row [123] in table users already exists'),
    kind: 'uniqueViolation',
  },
  'a transaction to be retried': {
    error: spanner(10, 'ABORTED', 'Transaction was aborted.'),
    kind: 'serializationFailure',
  },
  'a deadline': { error: spanner(4, 'DEADLINE_EXCEEDED', 'Deadline exceeded'), kind: 'lockTimeout' },
  'a server that is gone': { error: spanner(14, 'UNAVAILABLE', 'No connection established'), kind: 'connectionLost' },
  'NOT NULL': { error: spanner(9, 'FAILED_PRECONDITION', 'n must not be NULL in table users.') },
}

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html, in the shape of the AWS SDK 3. */
const dataApi = (name: string, message: string) => ({
  message,
  name,
  $fault: 'client',
  $metadata: { httpStatusCode: 400, requestId: '7f1e', attempts: 1, totalRetryDelay: 0 },
})
const auroraMysqlError = (errno: number, sqlState: string, text: string) =>
  dataApi('DatabaseErrorException', `${text}; Error code: ${errno}; SQLState: ${sqlState}`)
const auroraPostgresError = (sqlState: string, text: string) =>
  dataApi('DatabaseErrorException', `ERROR: ${text}; SQLState: ${sqlState}`)

const auroraMysqlErrors: Record<string, RecordedError> = {
  'a unique index': {
    error: auroraMysqlError(1062, '23000', "Duplicate entry 'a@x' for key 'users.UQ_email'"),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email', table: 'users' },
  },
  'a unique index, as version 1 of the Data API tells it': {
    error: dataApi(
      'BadRequestException',
      "Database error code: 1062. Message: Duplicate entry 'a@x' for key 'UQ_email'",
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'UQ_email' },
  },
  'NOT NULL': { error: auroraMysqlError(1048, '23000', "Column 'n' cannot be null") },
  'a deadlock': {
    error: auroraMysqlError(1213, '40001', 'Deadlock found when trying to get lock; try restarting transaction'),
    kind: 'deadlock',
  },
  'a lock timeout': {
    error: auroraMysqlError(1205, '40001', 'Lock wait timeout exceeded; try restarting transaction'),
    kind: 'lockTimeout',
  },
}

const auroraPostgresErrors: Record<string, RecordedError> = {
  // https://github.com/cloud-utils/sqlalchemy-aurora-data-api/issues/46
  'a primary key': {
    error: auroraPostgresError(
      '23505',
      'duplicate key value violates unique constraint "episodes_pk"\n  Detail: Key (episode_pid)=(m001q2mq) already exists.',
    ),
    kind: 'uniqueViolation',
    violates: { constraint: 'episodes_pk' },
  },
  'a foreign key, and a value that looks like a code': {
    error: auroraPostgresError(
      '23503',
      'insert or update on table "child" violates foreign key constraint "fk"\n  Detail: Key (u)=(Error code: 1062) is not present in table "users".',
    ),
  },
  'NOT NULL': { error: auroraPostgresError('23502', 'null value in column "n" violates not-null constraint') },
  serialization: {
    error: auroraPostgresError('40001', 'could not serialize access due to concurrent update'),
    kind: 'serializationFailure',
  },
}

export const recordedErrors: Record<string, Record<string, RecordedError>> = {
  'PostgreSQL (pg)': postgresErrors,
  'CockroachDB (pg)': cockroachErrors,
  'MariaDB (mysql2)': mariadbErrors,
  'MySQL (mysql2)': mysqlErrors,
  'better-sqlite3': betterSqliteErrors,
  'sql.js': sqljsErrors,
  'other SQLite drivers': sqliteFlavours,
  'SQL Server (mssql)': mssqlErrors,
  'Oracle (oracledb)': oracleErrors,
  'SAP HANA (@sap/hana-client, hdb)': sapErrors,
  'Spanner (@google-cloud/spanner)': spannerErrors,
  'Aurora MySQL (Data API)': auroraMysqlErrors,
  'Aurora PostgreSQL (Data API)': auroraPostgresErrors,
}

/** What is thrown around a database without being its answer. */
export const strangers: Record<string, unknown> = {
  null: null,
  undefined,
  'a string': 'UNIQUE constraint failed: users.email',
  'a number': 23505,
  'an object without a message': { code: '23505', severity: 'ERROR' },
  'a plain error': new Error('boom'),
  'an error that speaks of duplicates': new Error('duplicate key: this e-mail address is taken'),
  'an error that speaks like PostgreSQL': new Error('duplicate key value violates unique constraint "uq_email"'),
  'an error that speaks like MySQL': new Error("Duplicate entry 'a@x' for key 'users.UQ_email'"),
  'an error that mentions a code': new Error('the upstream service answered: Error code: 1062'),
  'an error that mentions a deadlock’s code': new Error('payment refused, Error code: 1213'),
  'an error that mentions an SQLSTATE': new Error('see SQLState: 40001'),
  'a broken pipe': Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' }),
  'a refused connection': Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
    code: 'ECONNREFUSED',
    errno: -111,
    syscall: 'connect',
  }),
  'a pool that ran dry': new Error('timeout exceeded when trying to connect'),
  'a code of another library': Object.assign(new Error('Unique constraint failed on the fields: (`email`)'), {
    code: 'P2002',
  }),
  'a number of another library': Object.assign(new Error('conflict'), { number: 2627, code: 301, errno: 1062 }),
}
