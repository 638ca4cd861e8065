import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/bindings.json` is what CPython makes of each call; `interop/bindings.py` writes it.
@Suite("Arguments are bound as CPython binds them")
struct BindingTests {
    struct Document: Decodable {
        var calls: [Call]
        var signatures: [Case]
        var extended: [Extension]
    }

    struct Extension: Decodable {
        /// A pickle of `(args, kwargs, data)`.
        var pickle: HexBytes
        /// Python's `repr()` of each argument, or its class.
        var args: [String]
        var kwargs: String
    }

    struct Call: Decodable {
        /// A pickle of `(args, kwargs)`.
        var pickle: HexBytes
        var text: String
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Parameter: Decodable {
            var name: String
            var kind: String
            var `default`: HexBytes?
        }

        struct Result: Decodable {
            /// Python's `repr()` of each parameter's value.
            var values: [String]?
            var error: String?
        }

        var signature: String
        var parameters: [Parameter]
        var results: [Result]
        var testDescription: String { signature }

        func make() throws -> Signature {
            try Signature(
                name: "tasks.call",
                parameters: parameters.map { parameter in
                    let value = try parameter.default.map { PickleValue(try PickleDocument($0.bytes).root) }
                    return switch parameter.kind {
                    case "VAR_POSITIONAL": .variadic(parameter.name)
                    case "VAR_KEYWORD": .keywords(parameter.name)
                    case "KEYWORD_ONLY": .keywordOnly(parameter.name, value)
                    default: value.map { .optional(parameter.name, $0) } ?? .required(parameter.name)
                    }
                }
            )
        }
    }

    static let document = Result { try Fixture.load("bindings.json", as: Document.self) }

    static func cases() throws -> [Case] { try document.get().signatures }

    @Test("every call gives CPython's values or CPython's TypeError", arguments: try cases())
    func calls(of test: Case) throws {
        let calls = try Self.document.get().calls
        let signature = try test.make()
        try #require(calls.count == test.results.count)
        for (call, expected) in zip(calls, test.results) {
            let root = try PickleDocument(call.pickle.bytes).root
            let args = try #require(root[0])
            let kwargs = try #require(root[1])
            do {
                var bound = try signature.bind(args: args, kwargs: kwargs)
                let values = try test.parameters.map { _ in try bound.next(as: PickleView.self).repr }
                #expect(values == expected.values, "\(call.text)")
            } catch let error as PickleException {
                #expect(
                    error.repr == expected.error.map { PickleException.builtin("TypeError", $0).repr },
                    "\(call.text)"
                )
            }
        }
    }

    @Test(
        "parameters that Python would refuse are a configuration error",
        arguments: [
            ["a", "a"],
            [.optional("a", 1), "b"],
            [.variadic("a"), .variadic("b")],
            [.keywords("a"), .keywords("b")],
            ["a", .keywordOnly("a")],
        ] as [[Parameter]]
    )
    func refused(parameters: [Parameter]) {
        let error = #expect(throws: HueyError.self) { try Signature(name: "tasks.call", parameters: parameters) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("what a finished task hands on is merged as huey merges it, whatever holds the arguments")
    func extended() throws {
        for test in try Self.document.get().extended {
            let root = try PickleDocument(test.pickle.bytes).root
            var arguments = TaskArguments(args: try #require(root[0]), kwargs: try #require(root[1]))
            try arguments.extend(with: try #require(root[2]))
            let (args, kwargs) = try arguments.views()
            let pairs = try #require(try Unpacking.mapping(kwargs))
            let dictionary = try TaskArguments(
                positional: [],
                keywords: pairs.map { (key: $0.key, value: $0.value) }
            ).views().kwargs
            #expect(args.elements?.map { $0.object?.className?.name ?? $0.repr } == test.args)
            #expect(dictionary.repr == test.kwargs)
        }
    }

    @Test("what sentry-sdk adds to the keywords is taken off, unless a task asks for it")
    func sentryHeaders() throws {
        let headers: PickleValue = ["sentry-trace": "1-2-1", "baggage": "x=y"]
        func bind(_ parameters: Parameter...) throws -> [String] {
            let signature = try Signature(name: "tasks.call", parameters: parameters)
            let keywords: KeyValuePairs<String, TaskArguments.Value> = ["b": 2, "sentry_headers": headers]
            let (args, kwargs) = try TaskArguments([1], keywords: keywords).views()
            var bound = try signature.bind(args: args, kwargs: kwargs)
            return try parameters.map { _ in try bound.next(as: PickleView.self).repr }
        }
        #expect(try bind("a", "b") == ["1", "2"])
        #expect(try bind("a", .keywords("rest")) == ["1", "{'b': 2}"])
        #expect(try bind("a", "b", "sentry_headers").last == "{'sentry-trace': '1-2-1', 'baggage': 'x=y'}")
    }

    @Test("containers that hold themselves, or claim any number of elements, are refused")
    func hostileContainers() throws {
        let signature = try Signature(name: "tasks.call", parameters: [.variadic("args"), .keywords("kwargs")])
        let none: (args: PickleView, kwargs: PickleView) = try TaskArguments().views()
        func refuses(_ bytes: [UInt8], asKeywords: Bool = false) throws -> Bool {
            let pickle: [UInt8] = [0x80, 4] + bytes + [0x2E]
            let view = try PickleDocument(pickle).root
            let args = asKeywords ? none.args : view
            let kwargs = asKeywords ? view : none.kwargs
            return (try? signature.bind(args: args, kwargs: kwargs)) == nil
        }
        func instance(_ name: String, _ key: String, _ value: [UInt8]) -> [UInt8] {
            // An instance in memo 0, whose state has one key.
            Array("ccollections\n\(name)\n".utf8) + [0x29, 0x81, 0x71, 0, 0x7D, 0x8C, UInt8(key.utf8.count)]
                + Array(key.utf8) + value + [0x73, 0x62]
        }
        for name in ["UserDict", "UserList", "ChainMap"] {
            for key in ["data", "maps"] {
                #expect(try refuses(instance(name, key, [0x68, 0]), asKeywords: true))
                #expect(try refuses(instance(name, key, [0x68, 0])))
                #expect(try refuses(instance(name, key, [0x5D, 0x68, 0, 0x61]), asKeywords: true))
            }
        }
        // One mapping of 500 keys, 500 times.
        let keys = (0..<500).flatMap { [0x8C, 4] + Array("\($0 + 1000)".utf8) + [0x4E] } as [UInt8]
        let maps =
            [0x5D, 0x28, 0x7D, 0x71, 1, 0x28] + keys + [0x75] + (0..<500).flatMap { _ in [0x68, 1] } + [0x65]
            as [UInt8]
        #expect(try refuses(instance("ChainMap", "maps", maps), asKeywords: true))
        for numbers in [[0, Int.max, 1], [Int.max - 1, .min, -1], [.min, .max, 1 << 40]] {
            let range = try PickleValue.reduce(
                PickleGlobal(module: "builtins", name: "range"),
                numbers.map { .int($0) },
                state: nil
            )
            .pickled(protocol: 4)
            #expect(try refuses(Array(range.dropFirst(2).dropLast())))
        }
        #expect(
            try refuses(
                Array(PickleValue.string(String(repeating: "x", count: 1 << 20)).pickled().dropFirst(2).dropLast())
            )
        )
    }

    @Test("arguments of a class that nobody knows are a TypeError, and the message is kept")
    func unknown() async throws {
        // kwargs: pickle.dumps(module.Mapping()), of a class without anything else.
        let kwargs = try PickleDocument([0x80, 4] + Array("cmodule\nMapping\n".utf8) + [0x29, 0x81, 0x2E]).root
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", .optional("b", 1)) { (a: Int, b: Int) in a &+ b }
        var message = try worker.huey.message("tasks.add", TaskArguments([1]))
        message.arguments = TaskArguments(args: try message.arguments.views().args, kwargs: kwargs)
        let result = try await worker.run(message)
        let error = #expect(throws: TaskException.self) { try result.get() }
        #expect(error?.error.contains("module.Mapping") == true)
        #expect(worker.storage.deadLetters.map(\.reason) == [.undecodable])
        #expect(throws: HueyError.self) {
            try message.arguments.extend(with: try PickleDocument(PickleValue.int(1).pickled()).root)
        }
    }

    @Test("a handler that takes more than it declares fails instead of reading beyond")
    func handlerTakesMore() async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a") { (a: Int, b: Int) in a + b }
        let message = try worker.huey.message("tasks.add", TaskArguments([1]))
        let result = try await worker.run(message)
        #expect(throws: TaskException.self) { try result.get() }
    }
}
