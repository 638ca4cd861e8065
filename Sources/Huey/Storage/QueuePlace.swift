/// Where a message stood in a queue: what a storage puts into ``Delivery/token`` to give it back to the same place.
package struct QueuePlace: Sendable {
    /// Counts up as messages come.
    package var order: Int64
    package var priority: Double

    package init(order: Int64, priority: Double) {
        self.order = order
        self.priority = priority
    }

    /// Nil for a token of another make.
    package init?(token: [UInt8]) {
        guard token.count == 16 else { return nil }
        order = Int64(bitPattern: token[..<8].reduce(0) { $0 << 8 | UInt64($1) })
        priority = Double(bitPattern: token[8...].reduce(0) { $0 << 8 | UInt64($1) })
    }

    package var token: [UInt8] {
        withUnsafeBytes(of: UInt64(bitPattern: order).bigEndian) { Array($0) }
            + withUnsafeBytes(of: priority.bitPattern.bigEndian) { Array($0) }
    }
}
