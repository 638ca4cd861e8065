#if Postgres
    public import Huey
    import Pickle

    extension PostgresStorage {
        /// All effects in one transaction, and in one exchange with the server.
        public func commit(_ effects: [StorageEffect]) async throws {
            let statements = try statements(for: effects)
            guard !statements.isEmpty else { return }
            let (tables, buries) = (tables, Self.buries(effects))
            try await perform { connection in
                try tables.withDead(connection, if: buries) { _ = try connection.run(statements) }
            }
        }

        public func bury(_ letter: DeadLetter) async throws { try await commit([.bury(letter)]) }

        static func buries(_ effects: [StorageEffect]) -> Bool {
            effects.contains { if case .bury = $0 { true } else { false } }
        }

        /// The statements that bring effects about, in order, and tell consumers of new messages.
        ///
        /// - Throws: `PickleError` for a dead letter that is too large, ``HueyError`` for a moment that is none.
        func statements(for effects: [StorageEffect]) throws -> [PostgresStatement] {
            var statements: [PostgresStatement] = []
            var queued: [(data: [UInt8], priority: Double)] = []
            var notifies = false
            func flush() {
                guard !queued.isEmpty else { return }
                statements.append(enqueueing(queued))
                queued = []
                notifies = true
            }
            for effect in effects {
                if case .enqueue(let data, let priority) = effect {
                    queued.append((data, priority ?? 0))
                    continue
                }
                flush()
                statements += try self.statements(for: effect)
            }
            flush()
            return notifies ? statements + [notification] : statements
        }

        private func enqueueing(_ messages: [(data: [UInt8], priority: Double)]) -> PostgresStatement {
            PostgresStatement(
                "insert into \(tables.tasks) (queue, data, priority) select $1, data, priority "
                    + "from unnest($2::bytea[], $3::float8[]) with ordinality as m(data, priority, n) order by n",
                .text(name),
                .manyBytes(messages.map(\.data)),
                .doubles(messages.map(\.priority))
            )
        }

        private func statements(for effect: StorageEffect) throws -> [PostgresStatement] {
            switch effect {
            case .put(let value, let key, _): return [putting([key], [value])]
            case .complete(let tasks): return completing(tasks)
            case .delete(let key): return [deleting([key])]
            case .deleteCounter(let key):
                let sql = "delete from \(tables.counters) where queue = $1 and key = $2"
                return [PostgresStatement(sql, .text(name), .text(key))]
            case .enqueue(let data, let priority): return [enqueueing([(data, priority ?? 0)])]
            case .schedule(let data, let moment):
                let sql = "insert into \(tables.schedule) (queue, data, timestamp) values ($1, $2, $3)"
                return [PostgresStatement(sql, .text(name), .bytes(data), .double(try moment.pythonTimestamp()))]
            case .bury(let letter):
                let sql = "insert into \(tables.dead) (queue, letter) values ($1, $2)"
                return [PostgresStatement(sql, .text(name), .bytes(try DeadLetterEntry(letter).stored))]
            case .releaseUnique:
                // No unique job was ever enqueued here.
                return []
            }
        }

        private func completing(_ tasks: Completions) -> [PostgresStatement] {
            var revocations: [String] = []
            // A statement writes a key once; of one that occurs twice the last value counts.
            var values: [String: [UInt8]] = [:]
            for effect in tasks.effects {
                switch effect {
                case .delete(let key): revocations.append(key)
                case .put(let value, let key, _): values[key] = value
                default: break
                }
            }
            let sorted = values.sorted { $0.key < $1.key }
            let deletion = revocations.isEmpty ? [] : [deleting(revocations)]
            return deletion + (sorted.isEmpty ? [] : [putting(sorted.map(\.key), sorted.map(\.value))])
        }

        private func putting(_ keys: [String], _ values: [[UInt8]]) -> PostgresStatement {
            PostgresStatement(
                "insert into \(tables.values) (queue, key, value) select $1, key, value "
                    + "from unnest($2::text[], $3::bytea[]) as m(key, value) "
                    + "on conflict (queue, key) do update set value = excluded.value",
                .text(name),
                .texts(keys),
                .manyBytes(values)
            )
        }

        private func deleting(_ keys: [String]) -> PostgresStatement {
            let sql = "delete from \(tables.values) where queue = $1 and key = any($2)"
            return PostgresStatement(sql, .text(name), .texts(keys.filter(Self.canKeep)))
        }
    }
#endif
