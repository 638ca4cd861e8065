#if Postgres
    import Huey

    /// A parameter of a statement, in Postgres' binary format.
    enum PostgresParameter: Sendable {
        case text(String)
        case bytes([UInt8])
        case integer(Int)
        case double(Double)
        case texts([String])
        case manyBytes([[UInt8]])
        case integers([Int])
        case doubles([Double])

        /// The type's object id, from `pg_type.dat`.
        var type: UInt32 {
            switch self {
            case .text: 25
            case .bytes: 17
            case .integer: 20
            case .double: 701
            case .texts: 1009
            case .manyBytes: 1001
            case .integers: 1016
            case .doubles: 1022
            }
        }

        /// Appends the value as `typsend` would write it.
        func write(to bytes: inout [UInt8]) {
            switch self {
            case .text(let text): bytes += text.utf8
            case .bytes(let value): bytes += value
            case .integer(let value): bytes.append(bigEndian: UInt64(bitPattern: Int64(value)))
            case .double(let value): bytes.append(bigEndian: value.bitPattern)
            case .texts(let values): Self.write(values.map { Array($0.utf8) }, of: 25, to: &bytes)
            case .manyBytes(let values): Self.write(values, of: 17, to: &bytes)
            case .integers(let values):
                Self.write(values.map { [UInt8](bigEndian: UInt64(bitPattern: Int64($0))) }, of: 20, to: &bytes)
            case .doubles(let values): Self.write(values.map { [UInt8](bigEndian: $0.bitPattern) }, of: 701, to: &bytes)
            }
        }

        /// An array of one dimension: `array_send`.
        private static func write(_ values: [[UInt8]], of type: UInt32, to bytes: inout [UInt8]) {
            bytes.append(bigEndian: UInt32(values.isEmpty ? 0 : 1))
            bytes.append(bigEndian: UInt32(0))
            bytes.append(bigEndian: type)
            guard !values.isEmpty else { return }
            bytes.append(bigEndian: UInt32(clamping: values.count))
            bytes.append(bigEndian: UInt32(1))
            for value in values {
                bytes.append(bigEndian: UInt32(clamping: value.count))
                bytes += value
            }
        }
    }

    /// An SQL statement with parameters `$1`, `$2` ….
    struct PostgresStatement: Sendable {
        let sql: String
        let parameters: [PostgresParameter]

        init(_ sql: String, _ parameters: PostgresParameter...) { self.init(sql, parameters) }

        init(_ sql: String, _ parameters: [PostgresParameter]) {
            self.sql = sql
            self.parameters = parameters
        }

        /// Postgres' own limit of a value is 1 GB; a message is a little longer.
        private static let mostBytes = 1_000_000_000

        /// All parameters' bytes, one behind the other, and the length of each.
        ///
        /// - Throws: ``HueyError`` `.tooLarge` beyond Postgres' limit.
        func encoded() throws -> (bytes: [UInt8], lengths: [Int32]) {
            var bytes: [UInt8] = []
            var lengths: [Int32] = []
            for parameter in parameters {
                let start = bytes.count
                parameter.write(to: &bytes)
                lengths.append(Int32(clamping: bytes.count - start))
            }
            guard bytes.count <= Self.mostBytes else {
                throw HueyError(
                    .tooLarge,
                    "a value has \(bytes.count) bytes, more than the \(Self.mostBytes) that Postgres takes"
                )
            }
            return (bytes, lengths)
        }
    }

    /// What a statement returned, each column in binary format; nil is NULL.
    struct PostgresRows: Sendable {
        let rows: [[[UInt8]?]]

        var count: Int { rows.count }

        func bytes(_ row: Int, _ column: Int) -> [UInt8] { rows[row][column] ?? [] }

        func text(_ row: Int, _ column: Int) -> String { String(decoding: bytes(row, column), as: UTF8.self) }

        /// An `int8`; 0 for anything else.
        func integer(_ row: Int, _ column: Int) -> Int { Int(Int64(bitPattern: word(row, column))) }

        /// A `float8`; 0 for anything else.
        func double(_ row: Int, _ column: Int) -> Double { Double(bitPattern: word(row, column)) }

        /// The first column of all rows.
        var firstColumn: [[UInt8]] { rows.map { ($0.first ?? nil) ?? [] } }

        private func word(_ row: Int, _ column: Int) -> UInt64 {
            let bytes = bytes(row, column)
            return bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : 0
        }
    }

    extension [UInt8] {
        fileprivate init(bigEndian value: some FixedWidthInteger) {
            self = Swift.withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }

        fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
            Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
        }
    }
#endif
