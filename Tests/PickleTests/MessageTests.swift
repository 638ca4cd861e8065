import Pickle
import Testing

/// What CPython 3.11 writes for one task message of huey, a namedtuple of ten fields, at each protocol.
enum Golden {
    static let messages = [
        """
        63636f70795f7265670a5f7265636f6e7374727563746f720a70300a2863687565792e72656769737472790a4d657373
        6167650a70310a635f5f6275696c74696e5f5f0a7475706c650a70320a285669642d310a70330a567461736b732e6164
        640a70340a4e49300a49300a4e2849310a49320a7470350a286470360a56620a70370a56780a70380a734e4e7470390a
        747031300a527031310a2e
        """,
        """
        63636f70795f7265670a5f7265636f6e7374727563746f720a71002863687565792e72656769737472790a4d65737361
        67650a7101635f5f6275696c74696e5f5f0a7475706c650a710228580400000069642d31710358090000007461736b73
        2e61646471044e4b004b004e284b014b027471057d710658010000006271075801000000787108734e4e74710974710a
        52710b2e
        """,
        """
        800263687565792e72656769737472790a4d6573736167650a710028580400000069642d31710158090000007461736b
        732e61646471024e4b004b004e4b014b028671037d710458010000006271055801000000787106734e4e747107817108
        2e
        """,
        """
        800363687565792e72656769737472790a4d6573736167650a710028580400000069642d31710158090000007461736b
        732e61646471024e4b004b004e4b014b028671037d710458010000006271055801000000787106734e4e747107817108
        2e
        """,
        """
        8004954e000000000000008c0d687565792e7265676973747279948c074d657373616765949394288c0469642d31948c
        097461736b732e616464944e4b004b004e4b014b0286947d948c0162948c017894734e4e749481942e
        """,
        """
        8005954e000000000000008c0d687565792e7265676973747279948c074d657373616765949394288c0469642d31948c
        097461736b732e616464944e4b004b004e4b014b0286947d948c0162948c017894734e4e749481942e
        """,
    ]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

@Suite("A task message of huey")
struct MessageTests {
    @Test("decodes from every protocol into the same fields", arguments: 0...5)
    func decodes(version: Int) throws {
        let document = try PickleDocument(Golden.bytes(Golden.messages[version]))
        #expect(document.pickleProtocol == version)
        let object = try #require(document.root.object)
        #expect(object.className == PickleGlobal(module: "huey.registry", name: "Message"))
        let fields = object.arguments
        try #require(fields.count == 10)
        #expect(fields[0].string == "id-1")
        #expect(fields[1].equals("tasks.add"))
        #expect(fields[2].isNone)
        #expect(fields[3].int == 0)
        #expect(fields[6].elements?.map(\.int) == [1, 2])
        #expect(fields[7]["b"]?.string == "x")
        #expect(fields[7]["a"] == nil)
    }

    @Test("is written again byte for byte", arguments: 0...5)
    func recodes(version: Int) throws {
        let bytes = Golden.bytes(Golden.messages[version])
        #expect(try PickleDocument(bytes).encoded() == bytes)
    }

    @Test("is written afresh as CPython writes it", arguments: 0...5)
    func writes(version: Int) throws {
        var writer = PickleWriter(protocol: version)
        for _ in 1...2 {
            writer.writeNewObject(module: "huey.registry", name: "Message", argumentCount: 10) { writer in
                writer.write("id-1")
                writer.write("tasks.add")
                writer.writeNone()
                writer.write(0)
                writer.write(0)
                writer.writeNone()
                writer.writeTuple(count: 2) { writer in
                    writer.write(1)
                    writer.write(2)
                }
                writer.writeDict(count: 1) { writer in
                    writer.write("b")
                    writer.write("x")
                }
                writer.writeNone()
                writer.writeNone()
            }
            #expect(try writer.finish() == Golden.bytes(Golden.messages[version]))
        }
    }

    @Test("is built of values to the same bytes", arguments: 0...5)
    func values(version: Int) throws {
        let value = PickleValue.newObject(
            PickleGlobal(module: "huey.registry", name: "Message"),
            ["id-1", "tasks.add", nil, 0, 0, nil, .tuple([1, 2]), ["b": "x"], nil, nil],
            state: nil
        )
        #expect(try value.pickled(protocol: version) == Golden.bytes(Golden.messages[version]))
    }

    @Test("says what was expected and what was found")
    func mismatch() throws {
        let root = try PickleDocument(Golden.bytes(Golden.messages[5])).root
        let fields = try #require(root.object?.arguments)
        let error = #expect(throws: PickleError.self) { try Int(pickle: fields[1]) }
        #expect(error?.message == "expected int, found str 'tasks.add'")
        #expect(error?.code == .typeMismatch)
    }
}
