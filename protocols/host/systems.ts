/**
 * Operating systems that hosts show signs of, and when their makers stop mending them for everybody: the end of security updates that come without a
 * paid extension. `source` is the maker's page. Each date was compared in November 2026 with the copy of that page, or of an announcement, in a public
 * index (endoflife.date as of 2026-08-22, and news of the day); a projected month is its last day.
 *
 * A claim that covers several systems carries the latest of their dates, so what is past it is past it whichever it is; `null` where one of them still
 * is mended. Embedded editions that cannot be told from the others ended later: of Windows XP on 2019-04-09 (POSReady 2009), of 7 on 2021-10-12
 * (POSReady 7), of 8.1 on 2023-07-11.
 */
export interface System {
  /** Stable short name, for comparing claims. */
  readonly family: string
  readonly name: string
  /** End of life, YYYY-MM-DD. */
  readonly eol: string | null
  /** Where the date is published. */
  readonly source: string
}

const MICROSOFT = 'https://learn.microsoft.com/lifecycle/products/'
const KERNEL = 'https://www.kernel.org/category/releases.html'
const DEBIAN = 'https://wiki.debian.org/LTS'
const UBUNTU = 'https://ubuntu.com/about/release-cycle'
const CENTOS = 'https://www.centos.org/centos-linux-eol/'

const system = (family: string, name: string, eol: string | null, source: string): System => ({ family, name, eol, source })

export const SYSTEMS = {
  windows2000: system('windows-2000', 'Windows 2000', '2010-07-13', `${MICROSOFT}windows-2000-professional`),
  windowsXp: system('windows-xp', 'Windows XP', '2014-04-08', `${MICROSOFT}windows-xp`),
  windows2003: system('windows-xp', 'Windows Server 2003', '2015-07-14', `${MICROSOFT}windows-server-2003-`),
  windowsXpOr2003: system('windows-xp', 'Windows XP or Server 2003', '2015-07-14', `${MICROSOFT}windows-server-2003-`),
  windowsVista: system('windows-vista', 'Windows Vista or Server 2008', '2020-01-14', `${MICROSOFT}windows-server-2008`),
  windows7: system('windows-7', 'Windows 7 or Server 2008 R2', '2020-01-14', `${MICROSOFT}windows-7`),
  windows8: system('windows-8', 'Windows 8 or Server 2012', '2023-10-10', `${MICROSOFT}windows-server-2012`),
  windows81: system('windows-8', 'Windows 8.1 or Server 2012 R2', '2023-10-10', `${MICROSOFT}windows-server-2012-r2`),
  /** The TCP stack did not change between them. */
  windows7To81: system('windows-7', 'Windows 7 to 8.1 or Server 2008 to 2012 R2', '2023-10-10', `${MICROSOFT}windows-server-2012-r2`),
  windows81OrLater: system('windows-8.1+', 'Windows 8.1 or Server 2012 R2, or later', null, `${MICROSOFT}windows-11-home-and-pro`),
  windows10Or11: system('windows-10', 'Windows 10 or Server 2016, or later', null, `${MICROSOFT}windows-10-home-and-pro`),
  windows11: system('windows-10', 'Windows 11', null, `${MICROSOFT}windows-11-home-and-pro`),
  windows2016: system('windows-10', 'Windows Server 2016 or Windows 10 1607', '2027-01-12', `${MICROSOFT}windows-server-2016`),
  windows2019: system('windows-10', 'Windows Server 2019 or Windows 10 1809', '2029-01-09', `${MICROSOFT}windows-server-2019`),
  windows2022: system('windows-10', 'Windows Server 2022', '2031-10-14', `${MICROSOFT}windows-server-2022`),
  windowsCe: system('windows-ce', 'Windows CE', '2023-10-10', `${MICROSOFT}windows-embedded-compact-2013`),
  windows: system('windows', 'Windows', null, MICROSOFT),
  /** 2.6.32, the last, was announced to end in February 2016; the day of its last release was not found again. */
  linux26: system('linux-2.6', 'Linux 2.6', '2016-03-31', KERNEL),
  linux3: system('linux-3', 'Linux 2.6.39 to 3.9', '2018-05-31', KERNEL),
  linux3Or4: system('linux-3', 'Linux 3.10 to 4.19', '2024-12-05', KERNEL),
  linux5: system('linux-5', 'Linux 4.20 or later', null, KERNEL),
  linux: system('linux', 'Linux', null, KERNEL),
  debian8: system('linux', 'Debian 8', '2020-06-30', DEBIAN),
  debian9: system('linux', 'Debian 9', '2022-06-30', DEBIAN),
  debian10: system('linux', 'Debian 10', '2024-06-30', DEBIAN),
  debian11: system('linux', 'Debian 11', '2026-08-31', DEBIAN),
  debian12: system('linux', 'Debian 12', '2028-06-30', DEBIAN),
  ubuntu1404: system('linux', 'Ubuntu 14.04', '2019-04-30', UBUNTU),
  ubuntu1604: system('linux', 'Ubuntu 16.04', '2021-04-30', UBUNTU),
  ubuntu1804: system('linux', 'Ubuntu 18.04', '2023-05-31', UBUNTU),
  ubuntu2004: system('linux', 'Ubuntu 20.04', '2025-05-31', UBUNTU),
  ubuntu2204: system('linux', 'Ubuntu 22.04', '2027-04-30', UBUNTU),
  ubuntu2404: system('linux', 'Ubuntu 24.04', '2029-05-31', UBUNTU),
  centos6: system('linux', 'CentOS 6', '2020-11-30', CENTOS),
  centos7: system('linux', 'CentOS 7', '2024-06-30', CENTOS),
  android: system('android', 'Android', null, 'https://source.android.com/docs/security/bulletin'),
  macos: system('macos', 'macOS or iOS', null, 'https://support.apple.com/en-us/100100'),
  freebsd: system('freebsd', 'FreeBSD', null, 'https://www.freebsd.org/security/'),
  embedded: system('embedded', 'an embedded TCP stack', null, ''),
} as const satisfies Record<string, System>

const RELEASES = 'https://learn.microsoft.com/windows/release-health/release-information'
const RELEASES_11 = 'https://learn.microsoft.com/windows/release-health/windows11-release-information'
const windows10 = (release: string, eol: string): System => system('windows-10', `Windows 10 ${release}`, eol, RELEASES)
const windows11 = (release: string, eol: string): System => system('windows-10', `Windows 11 ${release}`, eol, RELEASES_11)
const from2004To22H2 = windows10('2004 to 22H2 (long-term: 21H2)', '2032-01-13')
const from1903To1909 = windows10('1903 or 1909', '2022-05-10')
const from22H2To23H2 = windows11('22H2 or 23H2', '2026-11-10')
const from24H2 = windows11('24H2 or 25H2, or Server 2025', '2034-11-14')

/**
 * Version 10.0 by its build. A release that was an enablement package keeps the build of the one it enables (22H2 says 19041), and devices run
 * the long-term editions: the date is the latest of all that say so.
 */
const BUILDS: ReadonlyMap<number, System> = new Map([
  [10240, windows10('1507', '2025-10-14')], [10586, windows10('1511', '2017-10-10')], [14393, SYSTEMS.windows2016], [15063, windows10('1703', '2019-10-08')],
  [16299, windows10('1709', '2020-10-13')], [17134, windows10('1803', '2021-05-11')], [17763, SYSTEMS.windows2019], [18362, from1903To1909], [18363, from1903To1909],
  [19041, from2004To22H2], [19042, from2004To22H2], [19043, from2004To22H2], [19044, from2004To22H2], [19045, windows10('22H2', '2025-10-14')],
  [20348, SYSTEMS.windows2022], [22000, windows11('21H2', '2024-10-08')], [22621, from22H2To23H2], [22631, from22H2To23H2],
  [25398, system('windows-10', 'Windows Server 23H2', '2026-05-12', `${MICROSOFT}windows-server-annual-channel`)], [26100, from24H2], [26200, from24H2],
])

/** As Windows itself says it: `5.1` and its build. */
export function windowsOf(major: number, minor: number, build: number): System | undefined {
  if (major === 5) return minor === 0 ? SYSTEMS.windows2000 : minor === 1 ? SYSTEMS.windowsXp : SYSTEMS.windows2003
  if (major === 6) return [SYSTEMS.windowsVista, SYSTEMS.windows7, SYSTEMS.windows8, SYSTEMS.windows81][minor]
  if (major !== 10) return undefined
  return BUILDS.get(build) ?? (build > 22000 ? SYSTEMS.windows11 : SYSTEMS.windows10Or11)
}
