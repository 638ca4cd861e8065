#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a service says to systemd: the protocol of `sd_notify(3)`, datagrams to the socket `$NOTIFY_SOCKET`. Without one nobody asks.
enum Systemd {
    /// Sends assignments such as `READY=1`.
    static func notify(_ state: String) {
        guard let variable = getenv("NOTIFY_SOCKET") else { return }
        var path = Array(String(cString: variable).utf8)
        guard let first = path.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return }
        // An abstract socket's name begins with NUL.
        if first == UInt8(ascii: "@") { path[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        #if os(Linux)
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #endif
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(state.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, length)
            }
        }
    }

    /// How often a sign of life is wanted at least; nil for never.
    static var watchdog: Duration? {
        func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
        guard let limit = number("WATCHDOG_USEC"), limit > 0 else { return nil }
        if let process = number("WATCHDOG_PID"), process != Int(getpid()) { return nil }
        return .microseconds(limit)
    }

    /// Gives signs of life until cancelled: twice as often as is wanted, from the threads that send mail.
    static func keepAlive() async {
        guard let watchdog else { return }
        while (try? await Task.sleep(for: watchdog / 2)) != nil { notify("WATCHDOG=1") }
    }
}
