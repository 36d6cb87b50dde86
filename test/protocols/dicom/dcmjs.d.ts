/** The little of `dcmjs` that the tests use; the package has no types. */
declare module 'dcmjs' {
  interface DcmjsElement { vr: string; Value?: unknown[] }
  type DcmjsDict = Record<string, DcmjsElement>
  const dcmjs: {
    log: { setLevel(level: string): void; getLogger(name: string): { setLevel(level: string): void } }
    data: {
      ReadBufferStream: new (buffer: ArrayBuffer, littleEndian: boolean, options?: object) => object
      DicomMessage: { _read(stream: object, transferSyntax: string, options?: object): DcmjsDict }
      DicomMetaDictionary: { nameMap: Record<string, { tag: string; vr: string; name: string }> }
    }
  }
  export default dcmjs
}
