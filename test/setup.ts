/** Builds the program once before the tests, since some of them run it as users do. */
import { execFileSync } from 'node:child_process'

export default function build(): void {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
}
