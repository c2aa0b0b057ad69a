# What `sparktui check` asks of a node: reads only, one answer a line, name and value apart by a tab.
# Further questions come as pairs of arguments: kind, what. Nothing in them is taken for shell.
say() { printf '%s\t%s\n' "$1" "$2"; }
home() { case $1 in "~/"*) printf '%s/%s' "$HOME" "${1#"~/"}";; *) printf '%s' "$1";; esac; }
began=$(date +%s.%N 2>/dev/null)
say time "$began"
say kernel "$(uname -r)"
say machine "$(uname -m)"
[ -r /etc/dgx-release ] && say dgx "$(sed -n 's/^DGX_SWBUILD_VERSION="\(.*\)"/\1/p' /etc/dgx-release)"
[ -r /proc/driver/nvidia/version ] && say driver "$(sed -n '1s/^[^.]* \([0-9][0-9]*\.[0-9.]*\).*/\1/p' /proc/driver/nvidia/version)"
while read -r key value _; do
    case $key in MemTotal:|MemAvailable:|SwapTotal:|SwapFree:) say "${key%:}" "$value";; esac
done </proc/meminfo
if command -v nvidia-smi >/dev/null; then
    said=$(timeout 10 nvidia-smi --query-gpu=name,memory.total --format=csv,noheader 2>&1 | head -1)
    say gpu "${said%, *}"
    case $said in *", "*) say gpu_memory "${said##*, }";; esac
fi
[ "$1" = memory ] && exit 0
[ -r /proc/pressure/memory ] && say psi "$(sed -n 's/^some avg10=\([0-9.]*\).*/\1/p' /proc/pressure/memory)"
for folder in "$HOME" /tmp; do say "disk" "$(df -Pk -- "$folder" 2>/dev/null | awk -v f="$folder" 'NR==2 {print $4 " " f}')"; done
ss -Hltn 2>/dev/null | awk '{n=split($4, a, ":"); print "port\t" a[n]}' | sort -u
say addresses "$(hostname -I 2>/dev/null)"
for net in /sys/class/net/*; do
    say "interface" "${net##*/} $(cat "$net/operstate" 2>/dev/null || echo -) $(cat "$net/mtu" 2>/dev/null || echo -) $(cat "$net/speed" 2>/dev/null || echo -)"
done
for port in /sys/class/infiniband/*/ports/1; do
    [ -d "$port" ] && device=${port%/ports/1} && say rdma "${device##*/} $(cut -d' ' -f2 "$port/state") $(cut -d' ' -f1 "$port/rate")"
done
mkdir -p "$HOME/.cache/sparktui" 2>/dev/null && [ -w "$HOME/.cache/sparktui" ] && say cache writable
rmdir "$HOME/.cache/sparktui" 2>/dev/null
command -v docker >/dev/null && say docker "$(timeout 10 docker info --format '{{.ServerVersion}}' 2>&1 | tail -1)"
while [ $# -gt 0 ]; do
    case $1 in
    image) say image "$2 $(timeout 10 docker image inspect --format '{{.Id}}' "$2" 2>/dev/null || echo -)";;
    program) found=$(command -v -- "$(home "$2")") && found=$(readlink -f -- "$found"); say program "$2 ${found:--}";;
    ray) say ray "$(timeout 20 "$(home "$2")" --version 2>/dev/null | sed 's/.* //')";;
    path) [ -e "$(home "$2")" ] && say path "yes $2" || say path "no $2";;
    hub) [ -d "${HF_HOME:-$HOME/.cache/huggingface}/hub/models--$2" ] && say hub "yes $2" || say hub "no $2";;
    reach)
        # Refused is an answer; no route, or silence, is none.
        said=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "${2%%|*}" "${2##*|}" 2>&1) && code=0 || code=$?
        case $said in *refused*) code=0;; esac
        say reach "$2 $code";;
    esac
    shift 2
done
exit 0
