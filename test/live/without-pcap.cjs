/** Loaded before the program: `pcap` is not there, or can't be loaded, as the code in WITHOUT_PCAP says. */
const { register } = require('node:module')

const hooks = (code) => `export async function resolve(name, context, next) {
  if (name === 'pcap') throw Object.assign(new Error('libpcap.so.0.8: cannot open shared object file: No such file or directory'), { code: '${code}' })
  return next(name, context)
}`
register(`data:text/javascript,${encodeURIComponent(hooks(process.env.WITHOUT_PCAP))}`)
