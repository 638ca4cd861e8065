/// The forms of opcodes' arguments, so that a pickle can be taken apart.
enum Opcodes {
    enum Form: Equatable {
        case fixed(Int)
        /// A length of so many bytes, and what it counts.
        case counted(Int)
        /// Lines of text.
        case lines(Int)
    }

    static let all: [UInt8] = Array("IJKMLSTUBCNVXFG]aelt)d}su0(12gjhprqcRbioPQ.".utf8) + Array(0x80...0x98)
    /// Without an argument.
    static let bare = all.filter { form($0) == .fixed(0) }

    static func form(_ opcode: UInt8) -> Form {
        switch opcode {
        case 0x4B, 0x68, 0x71, 0x80, 0x82: .fixed(1)
        case 0x4D, 0x83: .fixed(2)
        case 0x4A, 0x6A, 0x72, 0x84: .fixed(4)
        case 0x47, 0x95: .fixed(8)
        case 0x8A, 0x55, 0x43, 0x8C: .counted(1)
        case 0x8B, 0x54, 0x42, 0x58: .counted(4)
        case 0x8D, 0x8E, 0x96: .counted(8)
        case 0x49, 0x4C, 0x53, 0x56, 0x46, 0x67, 0x70, 0x50: .lines(1)
        case 0x63, 0x69: .lines(2)
        default: .fixed(0)
        }
    }
}

extension [UInt8] {
    /// A pickle's opcodes, each with its argument.
    static func split(_ pickle: [UInt8]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var place = 0
        while place < pickle.count {
            var end = place + 1
            switch Opcodes.form(pickle[place]) {
            case .fixed(let width): end += width
            case .counted(let width):
                let length = pickle[end..<Swift.min(end + width, pickle.count)].reversed().reduce(0) {
                    $0 << 8 | Int($1)
                }
                end += width + length
            case .lines(let count):
                for _ in 0..<count {
                    while end < pickle.count, pickle[end] != 0x0A { end += 1 }
                    end += 1
                }
            }
            end = Swift.min(end, pickle.count)
            result.append(Array(pickle[place..<end]))
            place = end
        }
        return result
    }
}
