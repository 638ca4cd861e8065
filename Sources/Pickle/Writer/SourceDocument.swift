/// Which nodes of a document the pickle that is being written already has.
struct SourceDocument {
    let document: PickleDocument
    /// Memo number plus one for each node, 0 where it was not written.
    let memo: UnsafeMutablePointer<UInt32>
    /// Nodes begun so far, to bound what cycles through tuples may cost.
    var visits = 0

    init(_ document: PickleDocument) {
        self.document = document
        memo = .block(document.arena.nodeCount)
        memo.initialize(repeating: 0, count: document.arena.nodeCount)
    }

    func free() { memo.freeBlock() }
}

/// A container or object of which some parts are written.
struct WriteFrame: BitwiseCopyable {
    var node: NodeIndex
    /// Elements, or keys and values, begun so far.
    var position: UInt32
    var phase: WritePhase
    /// The object record whose parts come next.
    var record: UInt32
    /// An object that is being built already, by way of its own arguments: they are written as new ones.
    var isAgain = false
    /// First child and number of children that the phase goes through.
    var first: UInt32
    var count: UInt32

    init(_ node: NodeIndex, _ phase: WritePhase, first: UInt32 = 0, count: UInt32 = 0, record: UInt32 = 0) {
        self.node = node
        self.phase = phase
        self.first = first
        self.count = count
        self.record = record
        position = 0
    }
}

enum WritePhase: UInt8 {
    case tuple, list, dict, set, frozenset
    /// The list inside of the call by which protocols below 4 write a set or frozenset.
    case setCall
    /// After the id of a persistent reference.
    case persistentID
    /// An object: its callable, its arguments, its keywords, then the opcode.
    case callable, arguments, keywords, construct
    /// The arguments of an object that is being built already.
    case argumentsAgain
    /// The elements of the arguments, where they are not a tuple of their own.
    case spread
    /// What is set on an object afterwards.
    case listItems, dictItems, state, built, setter
    /// Nothing more.
    case done
}

extension PickleWriter {
    /// Writes a value of a decoded pickle as it was, with its sharing and its cycles; parts that this pickle already has
    /// become references.
    ///
    /// - Throws: ``PickleError`` when the protocol has no form for it.
    public mutating func write(_ view: PickleView) throws(PickleError) {
        element()
        let slot = source(of: view.document)
        var documentWriter = DocumentWriter(source: sources[slot], arena: view.document.arena, isPure: isPure)
        try documentWriter.write(view.index, &self)
        sources[slot].visits = documentWriter.visits
    }

    /// The place of a document among the sources, a new one if need be. Few are looked through; of many the place is kept.
    private mutating func source(of document: PickleDocument) -> Int {
        let few = 8
        if let slot = sources.prefix(few).firstIndex(where: { $0.document === document }) { return slot }
        if sources.count > few, let slot = sourceSlots[ObjectIdentifier(document)] { return slot }
        sources.append(SourceDocument(document))
        if sources.count > few { sourceSlots[ObjectIdentifier(document)] = sources.count - 1 }
        return sources.count - 1
    }
}
