/**
 * A real Apache Kafka for tests: one node (KRaft) on loopback with free ports, from its own jars through Maven, run by Java. Three listeners:
 * plain, TLS with SASL/SCRAM, and the controller's. Each broker has a folder of its own, so a killed one can be started again on its data.
 */
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Outside the tree, so that a fresh clone finds them again. */
const jars = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'wardwire', 'kafka-3.9.1')

/** Why there is no broker of our own; undefined when there can be one. */
export function whyNoBroker(): string | undefined {
  const missing = [['java', '-version'], ['mvn', '--version'], ['keytool', '-help']].filter(([name, flag]) => spawnSync(name!, [flag!]).status !== 0).map(([name]) => name)
  return missing.length === 0 ? undefined : `no ${missing.join(', no ')} here (apt-get install openjdk-17-jre-headless maven), and KAFKA_BOOTSTRAP names no broker`
}

/** Copies the jars once, in one step, so that two test runs at once are no trouble. */
function copyJars(): void {
  if (existsSync(jars)) return
  mkdirSync(join(jars, '..'), { recursive: true })
  const copy = mkdtempSync(`${jars}-`)
  execFileSync('mvn', ['-q', '-B', '-f', join(import.meta.dirname, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${copy}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    renameSync(copy, jars)
  } catch {
    rmSync(copy, { recursive: true })
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const JAVA = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(jars, '*')]

export const SCRAM = { username: 'sensor', password: 'a password of the test' }
/** Another, to whom tests deny this and that. */
export const GUEST = { username: 'guest', password: 'another password' }

export class Broker {
  /** Holds everything of the broker; its data in `data`. */
  readonly folder: string
  readonly #log: string
  #process: ChildProcess | undefined
  /** `127.0.0.1:port`, plain. */
  readonly plain: string
  /** `127.0.0.1:port`, TLS with SASL/SCRAM. */
  readonly secure: string
  /** PEM file of the authority behind the secure listener. */
  readonly caFile: string

  private constructor(folder: string, ports: number[]) {
    this.folder = folder
    this.#log = join(folder, 'broker.log')
    this.plain = `127.0.0.1:${ports[0]}`
    this.secure = `127.0.0.1:${ports[1]}`
    this.caFile = join(folder, 'ca.pem')
  }

  static async start(): Promise<Broker> {
    copyJars()
    const folder = mkdtempSync(join(tmpdir(), 'wardwire-kafka-'))
    const ports = await freePorts(3)
    const broker = new Broker(folder, ports)
    await broker.#prepare(ports)
    await broker.start()
    return broker
  }

  async #prepare([plain, secure, controller]: number[]): Promise<void> {
    const store = join(this.folder, 'keys.p12')
    const run = promisify(execFile)
    await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-alias', 'broker', '-dname', 'CN=localhost', '-ext', 'SAN=IP:127.0.0.1,DNS:localhost', '-validity', '30',
      '-storetype', 'PKCS12', '-keystore', store, '-storepass', 'changeit'])
    await run('keytool', ['-exportcert', '-rfc', '-alias', 'broker', '-keystore', store, '-storepass', 'changeit', '-file', this.caFile])
    writeFileSync(join(this.folder, 'server.properties'), Object.entries({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAIN',
      listeners: `PLAIN://127.0.0.1:${plain},SECURE://127.0.0.1:${secure},CONTROLLER://127.0.0.1:${controller}`,
      'listener.security.protocol.map': 'PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
      'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${SCRAM.username}="${SCRAM.password}";`,
      'listener.name.secure.scram-sha-256.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'listener.name.secure.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.keystore.location': store, 'ssl.keystore.password': 'changeit', 'ssl.keystore.type': 'PKCS12',
      'log.dirs': join(this.folder, 'data'),
      'offsets.topic.replication.factor': 1, 'offsets.topic.num.partitions': 4,
      'transaction.state.log.replication.factor': 1, 'transaction.state.log.min.isr': 1, 'transaction.state.log.num.partitions': 4,
      'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 500,
      'auto.create.topics.enable': false,
      // Everybody may do everything but what a test denies to somebody; over the plain listener, anything.
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'allow.everyone.if.no.acl.found': true, 'super.users': 'User:ANONYMOUS',
      // A killed broker may come back as soon as its old registration has run out.
      'broker.session.timeout.ms': 1500, 'broker.heartbeat.interval.ms': 300,
    }).map(([key, value]) => `${key}=${value}\n`).join(''))
    const credential = (mechanism: string): string[] => [SCRAM, GUEST].flatMap(({ username, password }) => ['--add-scram', `${mechanism}=[name=${username},password=${password}]`])
    await run('java', [...JAVA, 'kafka.tools.StorageTool', 'format', '-t', 'd2FyZHdpcmUtdGVzdHMtMQ', '-c', join(this.folder, 'server.properties'),
      ...credential('SCRAM-SHA-256'), ...credential('SCRAM-SHA-512')])
  }

  /** Starts it (again, on the data it had), and waits until it takes connections. */
  async start(): Promise<void> {
    const log = openSync(this.#log, 'a')
    const java = spawn('java', [...JAVA, 'kafka.Kafka', join(this.folder, 'server.properties')], { stdio: ['ignore', log, log] })
    // A test run that is broken off takes its broker along.
    process.once('exit', () => java.kill('SIGKILL'))
    this.#process = java
    for (let tries = 0; tries < 300; tries++) {
      if (this.#process.exitCode !== null) throw new Error(`the broker ended:\n${readFileSync(this.#log, 'utf8').slice(-3000)}`)
      if (await answers(this.plain)) return
      await sleep(200)
    }
    throw new Error(`the broker did not start:\n${readFileSync(this.#log, 'utf8').slice(-3000)}`)
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    this.#process = undefined
  }

  /** It keeps its connections and takes new ones, but answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function answers(address: string): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), host)
    socket.on('connect', () => { resolve(true); socket.destroy() }).on('error', () => resolve(false))
  })
}
