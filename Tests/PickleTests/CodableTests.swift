import Foundation
import Pickle
import Testing

@Suite("Codable, packs and values")
struct CodableTests {
    struct Shop: Codable, Equatable {
        var name: String
        var sizes: [Int]
        var owner: Owner?
        var opened: Date
        var prices: [String: Double]
    }

    struct Owner: Codable, Equatable {
        var name: String
        var id: UUID
    }

    @Test("a Codable type goes to a dict and back")
    func roundTrip() throws {
        let shop = Shop(
            name: "Kiosk",
            sizes: [1, 2],
            owner: Owner(name: "Eva", id: UUID()),
            opened: Date(timeIntervalSince1970: 1_700_000_000),
            prices: ["tea": 2.5]
        )
        let bytes = try PickleEncoder().encode(shop)
        let root = try PickleDocument(bytes).root
        #expect(root["name"]?.string == "Kiosk")
        #expect(root["owner"]?["id"]?.object?.className == PickleGlobal(module: "uuid", name: "UUID"))
        #expect(try PickleDecoder().decode(Shop.self, from: bytes) == shop)
    }

    @Test("a wrong type names its path")
    func wrongType() throws {
        let bytes = try PickleValue.dict(["name": "x", "id": 5]).pickled()
        let error = #expect(throws: DecodingError.self) { try PickleDecoder().decode(Owner.self, from: bytes) }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["id"])
        #expect(context.debugDescription == "expected uuid.UUID, found int 5")
    }

    @Test("a tuple decodes into a parameter pack and is written from one")
    func packs() throws {
        var writer = PickleWriter(protocol: 4)
        try writer.writeTuple(of: "cat.png", 640, nil as Bool?)
        let root = try PickleDocument(writer.finish()).root
        #expect(root.repr == "('cat.png', 640, None)")
        let (name, size, flag) = try root.decode(String.self, Int.self, Bool?.self)
        #expect(name == "cat.png" && size == 640 && flag == nil)
        #expect(throws: PickleError.self) { try root.decode(String.self, Int.self) }
    }

    @Test("a wrong count is an error of finish, and the writer goes on")
    func wrongCount() throws {
        var writer = PickleWriter()
        writer.writeList(count: 2) { $0.write(1) }
        #expect(throws: PickleError.self) { try writer.finish() }
        writer.write(7)
        #expect(try PickleDocument(writer.finish()).root.int == 7)
        #expect(throws: PickleError.self) { try PickleValue.none.pickled(protocol: 6) }
    }

    @Test("a view is written into another pickle with its sharing")
    func valuesOfDocuments() throws {
        // [x, x] with x = ['s']
        let document = try PickleDocument([
            0x80, 4, 0x5D, 0x94, 0x28, 0x5D, 0x94, 0x8C, 3, 0x61, 0x62, 0x63, 0x94, 0x61, 0x68, 1, 0x65, 0x2E,
        ])
        var writer = PickleWriter(protocol: 4)
        try writer.writeList(count: 2) { writer in
            try writer.write(document.root)
            try writer.write(#require(document.root[0]))
        }
        let root = try PickleDocument(writer.finish()).root
        let inner = try #require(root[1])
        #expect(root[0]?[0]?.isIdentical(to: inner) == true)
        #expect(root[0]?[1]?.isIdentical(to: inner) == true)
    }
}
