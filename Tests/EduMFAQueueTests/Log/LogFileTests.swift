import Foundation
import Logging
import Testing

@testable import EduMFAQueue

/// The worker's log file, and what others do to it.
struct LogFileTests {
    private let directory: String
    private var path: String { directory + "/queue.log" }

    init() throws {
        directory = NSTemporaryDirectory() + "log-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func content(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a file is turned over at its limit, and five old ones are kept")
    func turnsOver() throws {
        let log = try LogFile(path: path, limit: 20)
        for number in 0..<9 { log.write("line number \(number)\n", .info) }
        #expect(content(path) == "line number 8\n")
        #expect((1...5).map { content("\(path).\($0)") } == (3...7).reversed().map { "line number \($0)\n" })
        #expect(content("\(path).6") == nil)
    }

    @Test("after copytruncate the size counts anew")
    func truncated() throws {
        let log = try LogFile(path: path, limit: 40)
        log.write("0123456789012345678\n", .info)
        truncate(path, 0)
        log.write("0123456789012345678\n", .info)
        #expect(content(path + ".1") == nil)
        #expect(content(path)?.count == 20)
    }

    @Test("a file that was moved away is made anew")
    func moved() throws {
        let log = try LogFile(path: path)
        log.write("one\n", .info)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        log.write("two\n", .info)
        #expect(content(path + ".old") == "one\n")
        #expect(content(path) == "two\n")
    }

    @Test("the new file has owner and mode of the old one")
    func keepsMode() throws {
        let log = try LogFile(path: path, limit: 20)
        chmod(path, 0o640)
        // Only root may give a file away.
        let owner: (uid_t, gid_t) = getuid() == 0 ? (1, 1) : (getuid(), getgid())
        #expect(chown(path, owner.0, owner.1) == 0)
        log.write("line number 1\n", .info)
        log.write("line number 2\n", .info)
        #expect(content(path) == "line number 2\n")
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o640)
        #expect(status.st_uid == owner.0 && status.st_gid == owner.1)
    }

    @Test("a file that cannot be opened is told with the system's reason")
    func unopened() {
        let error = #expect(throws: LogFileError.self) { try LogFile(path: "/no/such/folder/queue.log") }
        #expect(error?.description.contains("/no/such/folder/queue.log") == true)
        #expect(error?.description.contains("errno 2") == true)
    }
}
