import Pickle
import Testing

@testable import Huey

@Suite("A message on the wire")
struct MessageTests {
    private static let name = PickleGlobal(module: "huey.registry", name: "Message")

    private static func decode(_ fields: [PickleValue]) throws -> Message {
        try Message(pickle: PickleDocument(PickleValue.newObject(name, fields, state: nil).pickled()).root)
    }

    private static func encode(
        _ message: Message,
        _ wire: WireVersion,
        defaults: @escaping @Sendable (String) -> TaskSettings? = { _ in nil }
    ) throws -> [PickleValue] {
        var writer = PickleWriter()
        try MessageEncoder(wire: wire, defaults: defaults).write(message, to: &writer)
        let object = try #require(try PickleDocument(try writer.finish()).root.object)
        #expect(object.className == name)
        return object.arguments.map { PickleValue($0) }
    }

    private static let minimal: [PickleValue] = ["id", "tasks.add", nil, nil, nil, nil, .tuple([]), [:], nil, nil]

    @Test("the fewest fields are written that carry it, at least ten")
    func fewest() throws {
        var message = Message(id: "id", name: "tasks.add")
        #expect(try Self.encode(message, .auto) == Self.minimal)
        message.expires = .seconds(60)
        #expect(try Self.encode(message, .auto).count == 11)
        message.expiresResolved = PickleDateTime(year: 2026, month: 1, day: 2)
        #expect(try Self.encode(message, .auto).count == 12)
        message.timeout = 0
        #expect(try Self.encode(message, .auto).count == 13)
        message.chord = ChordMembership(
            id: "c",
            size: 1,
            index: 0,
            callback: .init(Message(id: "cb", name: "tasks.sum"))
        )
        #expect(try Self.encode(message, .auto).count == 14)
        message.retryBackoff = 0
        #expect(try Self.encode(message, .auto).count == 15)
        message.chord = nil
        #expect(try Self.encode(message, .auto)[13] == .none)
    }

    @Test(
        "a chosen version has exactly its fields",
        arguments: [
            (WireVersion.v2_0, 10), (.v2_4, 12), (.v3_0, 14), (.v3_3, 15),
        ]
    )
    func versions(wire: WireVersion, count: Int) throws {
        let fields = try Self.encode(Message(id: "id", name: "tasks.add"), wire)
        #expect(fields.count == count)
        // huey before 2.4 has no defaults for what is open.
        let open: PickleValue = wire == .v2_0 ? 0 : nil
        #expect(fields[3] == open)
        #expect(fields[4] == open)
        #expect(fields.dropFirst(10).allSatisfy { $0 == .none })
    }

    @Test("a chosen version fills in what the registered task says")
    func filled() throws {
        let settings = TaskSettings(
            retries: 2,
            retryDelay: 5,
            retryBackoff: 1.5,
            priority: 7,
            expires: .seconds(60),
            timeout: 9
        )
        let message = Message(id: "id", name: "tasks.add")
        #expect(try Self.encode(message, .auto) { _ in settings } == Self.minimal)
        let old = try Self.encode(message, .v2_0) { _ in settings }
        #expect(old[3...5].elementsEqual([2, 5, 7]))
        let middle = try Self.encode(message, .v2_4) { _ in settings }
        #expect(middle[10] == 60)
        let new = try Self.encode(message, .v3_3) { _ in settings }
        #expect(new[12] == 9)
        #expect(new[14] == 1.5)
    }

    @Test(
        "what a version has no field for is an error, not dropped",
        arguments: [WireVersion.v2_0, .v2_4, .v3_0, .v3_3]
    )
    func tooOld(wire: WireVersion) throws {
        let count = try #require(wire.fieldCount)
        var message = Message(id: "id", name: "tasks.add")
        let changes: [(fields: Int, change: (inout Message) -> Void)] = [
            (11, { $0.expires = .seconds(1) }),
            (12, { $0.expiresResolved = PickleDateTime(year: 2026, month: 1, day: 2) }),
            (13, { $0.timeout = 5 }),
            (
                14,
                { $0.chord = ChordMembership(id: "c", size: 1, index: 0, callback: .init(Message(id: "x", name: "y"))) }
            ),
            (15, { $0.retryBackoff = 2 }),
        ]
        for (needed, change) in changes {
            message = Message(id: "id", name: "tasks.add")
            change(&message)
            if needed <= count {
                #expect(try Self.encode(message, wire).count == count)
            } else {
                let error = #expect(throws: HueyError.self) { try Self.encode(message, wire) }
                #expect(error?.code == .wireTooOld)
            }
            // Inside a pipeline as well.
            let outer = Message(id: "id", name: "tasks.add").then(message)
            if needed > count { #expect(throws: HueyError.self) { try Self.encode(outer, wire) } }
        }
    }

    @Test("an int and a float stay what they are")
    func numbers() throws {
        var message = Message(id: "id", name: "tasks.add")
        message.retryDelay = 1.0
        message.priority = 3
        let fields = try Self.encode(message, .auto)
        #expect(fields[4] == .float(1))
        #expect(fields[5] == .int(3))
    }

    @Test(
        "what is no message is an error",
        arguments: [
            .int(5), .string("x"), .list([]), .tuple(minimal), .dict([:]), .none,
            .newObject(name, Array(minimal.dropLast()), state: nil),
            .newObject(name, minimal + minimal, state: nil),
            .newObject(PickleGlobal(module: "huey.registry", name: "Massage"), minimal, state: nil),
            .newObject(PickleGlobal(module: "os", name: "system"), minimal, state: nil),
            .call("os", "system", ["true"]),
            .newObject(name, [.none] + minimal.dropFirst(), state: nil),
            .newObject(name, ["id", .none] + minimal.dropFirst(2), state: nil),
            .newObject(name, ["id", .int(4)] + minimal.dropFirst(2), state: nil),
            .newObject(name, [.list([])] + minimal.dropFirst(), state: nil),
            .newObject(name, Array(minimal.prefix(8)) + [.int(1), nil], state: nil),
        ] as [PickleValue]
    )
    func malformed(value: PickleValue) throws {
        let error = #expect(throws: HueyError.self) {
            try Message(pickle: PickleDocument(try value.pickled()).root)
        }
        #expect(error?.code == .malformedMessage)
    }

    @Test("a moment or a chord of a wrong type is an error", arguments: [2, 11, 13])
    func wrongType(index: Int) throws {
        var fields = Self.minimal + [nil, nil, nil, nil, nil]
        fields[index] = "no"
        #expect(throws: (any Error).self) { try Self.decode(fields) }
    }

    @Test("what huey may never compute with stays as it came", arguments: [3, 4, 5, 10, 12, 14])
    func carriedType(index: Int) throws {
        for value in ["no", "", .list([]), .bool(true), .float(2)] as [PickleValue] {
            var fields = Self.minimal + [nil, nil, nil, nil, nil]
            fields[index] = value
            let written = try Self.encode(try Self.decode(fields), .v3_3)
            #expect(written[index] == value)
        }
    }

    @Test("a pipeline that nests without end is an error", arguments: [150, 250, 5000])
    func nesting(depth: Int) throws {
        var value = PickleValue.newObject(Self.name, Self.minimal, state: nil)
        var bytes: [UInt8] = try value.pickled()
        // Nested by hand, so that building it takes no recursion.
        let document = try PickleDocument(bytes)
        value = .view(document.root)
        if depth <= 250 {
            for _ in 0..<depth {
                bytes = try PickleValue.newObject(
                    Self.name,
                    Array(Self.minimal.prefix(8)) + [value, nil],
                    state: nil
                ).pickled()
                value = .view(try PickleDocument(bytes).root)
            }
            if depth < 200 {
                #expect(try Message(pickle: PickleDocument(bytes).root).pipeline.count == depth + 1)
            } else {
                #expect(throws: HueyError.self) { try Message(pickle: PickleDocument(bytes).root) }
            }
            return
        }
        let open = "chuey.registry\nMessage\n(Vi\nVn\nNNNN)}", close = "Nt\u{81}"
        let text =
            "\u{80}\u{2}" + String(repeating: open, count: depth) + "N" + String(repeating: close, count: depth) + "."
        let wire = text.unicodeScalars.map { UInt8($0.value) }
        #expect(throws: (any Error).self) { try Message(pickle: PickleDocument(wire).root) }
    }

    @Test(
        "ids that are no strings keep their form",
        arguments: [
            (.int(77), "77"), (.float(1.5), "1.5"), (.bytes(Array("x".utf8)), "x"),
        ] as [(PickleValue, String)]
    )
    func oddIDs(id: PickleValue, text: String) throws {
        let message = try Self.decode([id] + Self.minimal.dropFirst())
        #expect(message.id == text)
        #expect(try Self.encode(message, .auto)[0] == id)
    }

    @Test("None for args or kwargs is no argument")
    func noneArguments() throws {
        let message = try Self.decode(["id", "tasks.add", nil, nil, nil, nil, nil, nil, nil, nil])
        let (args, kwargs) = try message.arguments.views()
        #expect(args.kind == .tuple && args.elements?.isEmpty == true)
        #expect(kwargs.kind == .dict && kwargs.pairs?.isEmpty == true)
        let half = try Self.decode(["id", "tasks.add", nil, nil, nil, nil, .tuple([1]), nil, nil, nil])
        #expect(try half.arguments.views().args.elements?.count == 1)
        let other = try Self.decode(["id", "tasks.add", nil, nil, nil, nil, nil, ["k": 2], nil, nil])
        #expect(try other.arguments.views().kwargs["k"]?.int == 2)
    }

    @Test("arguments keep their sharing and cycles on the way through")
    func sharing() throws {
        // ([a], a) with one list a that holds itself.
        let list = Array(
            "\u{80}\u{2}chuey.registry\nMessage\n(Vi\nVn\nNNNN]q\u{0}h\u{0}a]h\u{0}a\u{86}}NNt\u{81}.".unicodeScalars
        )
        let root = try PickleDocument(list.map { UInt8($0.value) }).root
        let message = try Message(pickle: root)
        var writer = PickleWriter()
        try MessageEncoder(wire: .auto, defaults: { _ in nil }).write(message, to: &writer)
        let args = try #require(try PickleDocument(try writer.finish()).root.object?.arguments[6])
        let cyclic = try #require(args[0])
        #expect(cyclic[0]?.isIdentical(to: cyclic) == true)
        #expect(args[1]?[0]?.isIdentical(to: cyclic) == true)
    }

    @Test(
        "what a task hands on becomes arguments as in huey's extend_data",
        arguments: [
            (nil, "(1,)", "{'k': 2}"),
            (.tuple([]), "(1,)", "{'k': 2}"),
            (.tuple([3, 4]), "(1, 3, 4)", "{'k': 2}"),
            (["k": 9, "l": 8], "(1,)", "{'k': 2, 'l': 8}"),
            ([:], "(1,)", "{'k': 2}"),
            ([3], "(1, [3])", "{'k': 2}"),
            (false, "(1, False)", "{'k': 2}"),
            ("", "(1, '')", "{'k': 2}"),
        ] as [(PickleValue, String, String)]
    )
    func extend(data: PickleValue, args: String, kwargs: String) throws {
        var arguments = TaskArguments([1], keywords: ["k": 2])
        try arguments.extend(with: PickleDocument(data.pickled()).root)
        let views = try arguments.views()
        #expect(views.args.repr == args)
        #expect(views.kwargs.repr == kwargs)
    }
}
