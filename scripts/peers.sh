#!/bin/sh
# Installs the programs that the tests talk to, on Debian, without letting any of their services
# start. Does nothing where all are there; where it may not install, names the command and fails.
set -eu

# package:program, or package:/file/that/it/brings
PEERS="
baresip-core:baresip
chromium:chromium
coturn:turnserver
dnsmasq-base:dnsmasq
faketime:faketime
fping:fping
git:git
iproute2:ip
iputils-ping:ping
janus:janus
kamailio:kamailio
kamailio-tls-modules:/usr/lib/*/kamailio/modules/tls.so
nftables:nft
nginx-light:nginx
nodejs:node
npm:npm
procps:sysctl
prosody:prosody
prometheus:prometheus
prometheus-alertmanager:amtool
prometheus-blackbox-exporter:prometheus-blackbox-exporter
sip-tester:sipp
systemd:systemd-analyze
tshark:tshark
victoria-metrics:victoria-metrics
"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
POLICY=/usr/sbin/policy-rc.d

present() {
    case $1 in
    # $1 stays unquoted: it is a pattern.
    # shellcheck disable=SC2086
    /*) ls $1 >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
for peer in $PEERS; do
    present "${peer#*:}" || missing="$missing ${peer%%:*}"
done
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
refuse() {
    echo "error: $1" >&2
    echo "the tests talk to real peers; install them, then run make test again:" >&2
    if [ "$(id -u)" -eq 0 ]; then echo "    $install" >&2; else echo "    sudo $install" >&2; fi
    exit 1
}

command -v apt-get >/dev/null || refuse "missing:$missing (the names are Debian's)"
root=
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || refuse "missing:$missing, and this user may not install them"
    root="sudo -n"
fi

# Debian starts a service as soon as it is installed; exit code 101 of policy-rc.d forbids it.
# A policy that is there already is set aside and put back, whatever happens in between; one
# that a killed run of ours left behind is not mistaken for the machine's own.
SAVED=$POLICY.before-vcmon
restore() {
    if [ -e "$SAVED" ]; then $root mv -f "$SAVED" "$POLICY"; else $root rm -f "$POLICY"; fi
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -e "$POLICY" ] && ! grep -q "vcmon/scripts/peers.sh" "$POLICY"; then
    $root mv -f "$POLICY" "$SAVED"
fi
printf '#!/bin/sh\n# vcmon/scripts/peers.sh: no service starts meanwhile\nexit 101\n' |
    $root tee "$POLICY" >/dev/null
$root chmod 755 "$POLICY"

echo "installing$missing"
apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null
}
apt update || echo "warning: the package lists could not be renewed; trying with those here" >&2
# shellcheck disable=SC2086 # a list of words
apt install --yes --no-install-recommends $missing >/dev/null || refuse "apt-get failed (above)"
for peer in $PEERS; do
    present "${peer#*:}" || refuse "${peer%%:*} is installed, but ${peer#*:} is not there"
done
