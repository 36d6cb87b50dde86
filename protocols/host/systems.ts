/**
 * Operating systems that hosts show signs of, and when their makers stop mending them for everybody.
 *
 * The dates are those of the makers' pages as they stood on 2026-11-01: the end of security updates that come without a paid extension. A claim
 * that covers several systems carries the latest of their dates, so what is past it is past it whichever it is; `null` where one of them still is mended.
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
  windows10: system('windows-10', 'Windows 10', '2025-10-14', `${MICROSOFT}windows-10-home-and-pro`),
  windows11: system('windows-10', 'Windows 11', null, `${MICROSOFT}windows-11-home-and-pro`),
  windows2016: system('windows-10', 'Windows Server 2016 or Windows 10 1607', '2027-01-12', `${MICROSOFT}windows-server-2016`),
  windows2019: system('windows-10', 'Windows Server 2019 or Windows 10 1809', '2029-01-09', `${MICROSOFT}windows-server-2019`),
  windows2022: system('windows-10', 'Windows Server 2022', '2031-10-14', `${MICROSOFT}windows-server-2022`),
  windowsCe: system('windows-ce', 'Windows CE', '2023-10-10', `${MICROSOFT}windows-embedded-compact-2013`),
  windows: system('windows', 'Windows', null, MICROSOFT),
  linux26: system('linux-2.6', 'Linux 2.6', '2016-03-12', KERNEL),
  linux3: system('linux-3', 'Linux 2.6.39 to 3.9', '2018-05-17', KERNEL),
  linux3Or4: system('linux-3', 'Linux 3.10 to 4.19', '2024-12-05', KERNEL),
  linux5: system('linux-5', 'Linux 4.20 or later', null, KERNEL),
  linux: system('linux', 'Linux', null, KERNEL),
  debian8: system('linux', 'Debian 8', '2020-06-30', DEBIAN),
  debian9: system('linux', 'Debian 9', '2022-06-30', DEBIAN),
  debian10: system('linux', 'Debian 10', '2024-06-30', DEBIAN),
  debian11: system('linux', 'Debian 11', '2026-08-31', DEBIAN),
  debian12: system('linux', 'Debian 12', '2028-06-30', DEBIAN),
  ubuntu1404: system('linux', 'Ubuntu 14.04', '2019-04-25', UBUNTU),
  ubuntu1604: system('linux', 'Ubuntu 16.04', '2021-04-30', UBUNTU),
  ubuntu1804: system('linux', 'Ubuntu 18.04', '2023-05-31', UBUNTU),
  ubuntu2004: system('linux', 'Ubuntu 20.04', '2025-05-31', UBUNTU),
  ubuntu2204: system('linux', 'Ubuntu 22.04', '2027-04-01', UBUNTU),
  ubuntu2404: system('linux', 'Ubuntu 24.04', '2029-04-25', UBUNTU),
  centos6: system('linux', 'CentOS 6', '2020-11-30', CENTOS),
  centos7: system('linux', 'CentOS 7', '2024-06-30', CENTOS),
  android: system('android', 'Android', null, 'https://source.android.com/docs/security/bulletin'),
  macos: system('macos', 'macOS or iOS', null, 'https://support.apple.com/en-us/100100'),
  freebsd: system('freebsd', 'FreeBSD', null, 'https://www.freebsd.org/security/'),
  embedded: system('embedded', 'an embedded TCP stack', null, ''),
} as const satisfies Record<string, System>
