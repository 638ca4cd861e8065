import GRDB

/// huey's tables, as its `SqliteStorage` makes them, and one of our own for messages that cannot be run.
enum SQLiteSchema {
    static func create(in database: Database, strictFIFO: Bool) throws {
        let autoincrement = strictFIFO ? " autoincrement" : ""
        for statement in [
            "create table if not exists kv (queue text not null, key text not null, value blob not null, "
                + "primary key(queue, key))",
            "create table if not exists schedule (id integer not null primary key, queue text not null, "
                + "data blob not null, timestamp real not null)",
            "create index if not exists schedule_queue_timestamp on schedule (queue, timestamp)",
            "create table if not exists task (id integer not null primary key\(autoincrement), queue text not null, "
                + "data blob not null, priority real not null default 0.0)",
            "create index if not exists task_queue_priority_id on task (queue, priority desc, id)",
            "create table if not exists counter (queue text not null, key text not null, "
                + "value integer not null default 0, primary key(queue, key))",
            "drop index if exists task_priority_id",
        ] {
            try database.execute(sql: statement)
        }
    }

    /// Made only when there is something to bury: a file that Python shares holds nothing else of ours.
    static let createDead =
        "create table if not exists huey_swift_dead (id integer not null primary key, queue text not null, "
        + "letter blob not null)"
}
