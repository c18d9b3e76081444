/** Runs the programs of call-frame information: DWARF 5, section 6.4.2, and the extensions of GNU and AArch64. */
import type { Cursor } from './cursor.ts';
import { CfaKind, Flag, RuleKind, State } from './frame-rules.ts';

/** DW_CFA_*: the three with an operand in their low six bits, then the others (DWARF 5, table 7.29). */
const Op = {
  advanceLoc: 0x40,
  offset: 0x80,
  restore: 0xc0,
  nop: 0x00,
  setLoc: 0x01,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  offsetExtended: 0x05,
  restoreExtended: 0x06,
  undefined: 0x07,
  sameValue: 0x08,
  register: 0x09,
  rememberState: 0x0a,
  restoreState: 0x0b,
  defCfa: 0x0c,
  defCfaRegister: 0x0d,
  defCfaOffset: 0x0e,
  defCfaExpression: 0x0f,
  expression: 0x10,
  offsetExtendedSigned: 0x11,
  defCfaSigned: 0x12,
  defCfaOffsetSigned: 0x13,
  valueOffset: 0x14,
  valueOffsetSigned: 0x15,
  valueExpression: 0x16,
  mipsAdvanceLoc8: 0x1d,
  aarch64NegateRaStateWithPc: 0x2c,
  aarch64NegateRaState: 0x2d,
  gnuArgsSize: 0x2e,
  gnuNegativeOffsetExtended: 0x2f,
} as const;

/** Compilers nest one or two; more is damage. */
const MAX_REMEMBERED = 128;
const MAX_REGISTER = 0xffff;

export interface FrameProgramOptions {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnRegister: number;
  /** State before the function's own instructions; what `restore` goes back to. */
  readonly initial: Int32Array;
  /** Reads an address as DW_CFA_set_loc writes it. */
  readonly readAddress: (cursor: Cursor) => number;
}

/** Runs one program after another on the same state, so that nothing is allocated a function. */
export class FrameMachine {
  readonly state: Int32Array;
  /** Place in the state by DWARF register number, or 0 for those not followed. */
  readonly #places: Uint16Array;
  readonly #returnPlace: number;
  readonly #stack: Int32Array[] = [];
  #depth = 0;

  constructor(registers: readonly number[]) {
    this.#returnPlace = State.registers + registers.length * 2;
    this.state = new Int32Array(this.#returnPlace + 2);
    this.#places = new Uint16Array(Math.max(...registers, 0) + 1);
    registers.forEach((register, index) => (this.#places[register] = State.registers + index * 2));
  }

  /**
   * Runs the instructions from `cursor.pos` to `cursor.end`.
   *
   * @param row told the address from which the state, as it is at the call, holds
   * @throws FormatFault for an instruction that does not exist or is cut short
   */
  run(cursor: Cursor, start: number, options: FrameProgramOptions, row: (address: number) => void): void {
    this.state.set(options.initial);
    this.#depth = 0;
    let address = start;
    while (cursor.pos < cursor.end) {
      const next = this.#step(cursor, address, options);
      if (next === address) continue;
      row(address);
      address = next;
    }
    row(address);
  }

  /** One instruction; answers the address, which may have advanced: the state then belongs to the one before. */
  #step(cursor: Cursor, address: number, options: FrameProgramOptions): number {
    const op = cursor.u8();
    const operand = op & 0x3f;
    switch (op & 0xc0) {
      case Op.advanceLoc:
        return address + operand * options.codeAlignment;
      case Op.offset:
        this.#setRule(options, operand, RuleKind.offset, this.#scaled(cursor, cursor.uleb() * options.dataAlignment));
        return address;
      case Op.restore:
        this.#restore(options, operand);
        return address;
      default:
        return this.#extended(op, cursor, address, options);
    }
  }

  #extended(op: number, cursor: Cursor, address: number, options: FrameProgramOptions): number {
    switch (op) {
      case Op.setLoc:
        return options.readAddress(cursor);
      case Op.advanceLoc1:
        return address + cursor.u8() * options.codeAlignment;
      case Op.advanceLoc2:
        return address + cursor.u16() * options.codeAlignment;
      case Op.advanceLoc4:
        return address + cursor.u32() * options.codeAlignment;
      case Op.mipsAdvanceLoc8:
        return address + cursor.u64() * options.codeAlignment;
      case Op.rememberState:
        this.#remember(cursor);
        return address;
      case Op.restoreState:
        this.#restoreState(cursor);
        return address;
      case Op.aarch64NegateRaState:
      case Op.aarch64NegateRaStateWithPc:
        this.state[State.flags]! ^= Flag.signed;
        return address;
      case Op.nop:
        return address;
      case Op.gnuArgsSize:
        cursor.skipLeb();
        return address;
      default:
        if (op >= Op.defCfa && op !== Op.expression && this.#defineCfa(op, cursor, options)) return address;
        this.#defineRegister(op, cursor, options);
        return address;
    }
  }

  /** @returns false for an instruction that is not about the CFA */
  #defineCfa(op: number, cursor: Cursor, options: FrameProgramOptions): boolean {
    const { state } = this;
    switch (op) {
      case Op.defCfa:
      case Op.defCfaSigned:
        state[State.cfaKind] = CfaKind.register;
        state[State.cfaRegister] = this.#register(cursor);
        state[State.cfaOffset] = this.#scaled(cursor, op === Op.defCfa ? cursor.uleb() : cursor.sleb() * options.dataAlignment);
        return true;
      case Op.defCfaRegister:
        if (state[State.cfaKind] === CfaKind.expression) state[State.cfaOffset] = 0;
        state[State.cfaKind] = CfaKind.register;
        state[State.cfaRegister] = this.#register(cursor);
        return true;
      case Op.defCfaOffset:
        state[State.cfaOffset] = this.#scaled(cursor, cursor.uleb());
        return true;
      case Op.defCfaOffsetSigned:
        state[State.cfaOffset] = this.#scaled(cursor, cursor.sleb() * options.dataAlignment);
        return true;
      case Op.defCfaExpression:
        state[State.cfaKind] = CfaKind.expression;
        state[State.cfaRegister] = 0;
        state[State.cfaOffset] = this.#expression(cursor);
        return true;
      default:
        return false;
    }
  }

  #defineRegister(op: number, cursor: Cursor, options: FrameProgramOptions): void {
    const register = this.#register(cursor);
    switch (op) {
      case Op.offsetExtended:
        return this.#setRule(options, register, RuleKind.offset, this.#scaled(cursor, cursor.uleb() * options.dataAlignment));
      case Op.offsetExtendedSigned:
        return this.#setRule(options, register, RuleKind.offset, this.#scaled(cursor, cursor.sleb() * options.dataAlignment));
      case Op.gnuNegativeOffsetExtended:
        return this.#setRule(options, register, RuleKind.offset, this.#scaled(cursor, -cursor.uleb() * options.dataAlignment));
      case Op.valueOffset:
        return this.#setRule(options, register, RuleKind.valueOffset, this.#scaled(cursor, cursor.uleb() * options.dataAlignment));
      case Op.valueOffsetSigned:
        return this.#setRule(options, register, RuleKind.valueOffset, this.#scaled(cursor, cursor.sleb() * options.dataAlignment));
      case Op.restoreExtended:
        return this.#restore(options, register);
      case Op.undefined:
        return this.#setRule(options, register, RuleKind.undefined, 0);
      case Op.sameValue:
        return this.#setRule(options, register, RuleKind.same, 0);
      case Op.register:
        return this.#setRule(options, register, RuleKind.register, this.#register(cursor));
      case Op.expression:
        return this.#setRule(options, register, RuleKind.expression, this.#expression(cursor));
      case Op.valueExpression:
        return this.#setRule(options, register, RuleKind.valueExpression, this.#expression(cursor));
      default:
        return cursor.fail(`call-frame instruction 0x${op.toString(16)} is not known`);
    }
  }

  #setRule(options: FrameProgramOptions, register: number, kind: number, value: number): void {
    const place = this.#places[register] ?? 0;
    if (place !== 0) {
      this.state[place] = kind;
      this.state[place + 1] = value;
    }
    if (register !== options.returnRegister) return;
    this.state[this.#returnPlace] = kind;
    this.state[this.#returnPlace + 1] = value;
  }

  #restore(options: FrameProgramOptions, register: number): void {
    const place = register === options.returnRegister ? this.#returnPlace : (this.#places[register] ?? 0);
    if (place !== 0) this.#setRule(options, register, options.initial[place]!, options.initial[place + 1]!);
  }

  #remember(cursor: Cursor): void {
    if (this.#depth === MAX_REMEMBERED) cursor.fail(`more than ${MAX_REMEMBERED} states remembered`);
    const free = (this.#stack[this.#depth++] ??= new Int32Array(this.state.length));
    free.set(this.state);
  }

  #restoreState(cursor: Cursor): void {
    if (this.#depth === 0) cursor.fail('a state restored that was not remembered');
    this.state.set(this.#stack[--this.#depth]!);
  }

  #register(cursor: Cursor): number {
    const register = cursor.uleb();
    if (register > MAX_REGISTER) cursor.fail(`register ${register}`);
    return register;
  }

  #scaled(cursor: Cursor, offset: number): number {
    if (offset !== (offset | 0)) cursor.fail(`offset ${offset} from the frame's address`);
    return offset | 0;
  }

  /** Passes over an expression; answers where its length is. */
  #expression(cursor: Cursor): number {
    const at = cursor.pos;
    const length = cursor.uleb();
    cursor.skip(length);
    return at;
  }
}
