package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// disk is one on which data lies, and that can be made to take no more.
type disk struct {
	data string
	fill func(p *process)
	free func(p *process)
}

// mounted mounts something for the test and reports whether it may.
func mounted(t *testing.T, args ...string) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Logf("no mount here (%v: %s): only the limit of file sizes is tried", err, strings.TrimSpace(string(out)))
		return "", false
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir, true
}

// limitFiles bounds the size of the files that a process may write, which it
// meets as an error of the write. Everybody may do that to an own process.
func limitFiles(t *testing.T, p *process, bytes uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: bytes, Max: unlimited}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.cmd.Process.Pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Fatalf("prlimit: %v", errno)
	}
}

const unlimited = ^uint64(0)

// disks returns the ways in which a disk can be full here.
func disks(t *testing.T) map[string]disk {
	all := map[string]disk{
		"files may not grow": {
			data: filepath.Join(t.TempDir(), "data"),
			fill: func(p *process) { limitFiles(t, p, 4<<20) },
			free: func(p *process) { limitFiles(t, p, unlimited) },
		},
		"no write works": {
			data: filepath.Join(t.TempDir(), "data"),
			fill: func(p *process) { limitFiles(t, p, 0) },
			free: func(p *process) { limitFiles(t, p, unlimited) },
		},
	}
	small := all["files may not grow"] // where nothing can be mounted, with files of another size
	small.data, small.fill = filepath.Join(t.TempDir(), "data"), func(p *process) { limitFiles(t, p, 6<<20) }
	if dir, ok := mounted(t, "-t", "tmpfs", "-o", "size=12m", "tmpfs"); ok {
		small = disk{
			data: filepath.Join(dir, "data"),
			fill: func(*process) {}, // it fills by itself
			free: func(*process) {
				if out, err := exec.Command("mount", "-o", "remount,size=500m", dir).CombinedOutput(); err != nil {
					t.Fatalf("remount: %v: %s", err, out)
				}
			},
		}
	}
	all["a disk of 12 MB"] = small
	return all
}

// save makes a subscription and reports whether it was stored. A full disk may
// still take it, where the log already has room for it.
func (p *process) save(t *testing.T, id string) (stored bool) {
	t.Helper()
	status, answer := p.call(t.Context(), http.DefaultClient, "PUT", "/subscriptions/"+id, `{"url":"http://127.0.0.1:9","types":["never"]}`)
	if status != http.StatusCreated && status != http.StatusServiceUnavailable {
		t.Errorf("making a subscription with a full disk: %d %s", status, answer)
	}
	return status == http.StatusCreated
}

// has sees that a subscription is there exactly if its answer said so.
func (p *process) has(t *testing.T, id string, stored bool) {
	t.Helper()
	status, answer := p.call(t.Context(), http.DefaultClient, "GET", "/subscriptions/"+id, "")
	if want := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[stored]; status != want {
		t.Errorf("a subscription of a full disk: %d %s, want %d", status, answer, want)
	}
}

func TestAFullDiskRefusesPublishersAndRecoversByItself(t *testing.T) {
	for name, d := range disks(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			r := newReceiver(t, l)
			p := start(t, d.data)
			r.subscribe(t, p, "s", "")
			publishSome(t, p, "before", 100, l)
			d.fill(p)
			refused(t, p, l)
			if status, answer := p.call(t.Context(), http.DefaultClient, "GET", "/subscriptions", ""); status != 200 {
				t.Errorf("reading with a full disk: %d %s", status, answer)
			}
			stored := p.save(t, "new")
			if stored && name == "no write works" {
				t.Error("a subscription was made though no write works")
			}
			d.free(p)
			p.takesAgain(t, l)
			l.settle(t)
			if err := p.terminate(); err != nil {
				t.Error(err, p.stderr)
			}
			p = start(t, d.data) // the file is whole
			p.has(t, "new", stored)
			p.takesAgain(t, l)
			l.settle(t)
			if err := p.terminate(); err != nil {
				t.Error(err, p.stderr)
			}
		})
	}
}

// refused publishes until nothing is taken any more.
func refused(t *testing.T, p *process, l *ledger) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	var wg sync.WaitGroup
	pad := strings.Repeat("x", 8<<10)
	for c := range 8 {
		wg.Go(func() {
			for n, inARow := 0, 0; inARow < 20; n++ {
				id := fmt.Sprintf("full-%d-%d", c, n)
				status, answer := p.call(ctx, http.DefaultClient, "POST", "/events", `{"type":"a.b","id":"`+id+`","data":"`+pad+`"}`)
				switch status {
				case 202:
					inARow = 0
					l.accept(id)
				case 503:
					inARow++
				default:
					t.Errorf("publishing to a full disk is answered %d %s", status, answer)
					return
				}
			}
		})
	}
	wg.Wait()
}

// takesAgain waits until publishing works.
func (p *process) takesAgain(t *testing.T, l *ledger) {
	t.Helper()
	for n, deadline := 0, time.Now().Add(30*time.Second); ; n++ {
		id := fmt.Sprintf("again-%d-%d", p.cmd.Process.Pid, n)
		status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/events", `{"type":"a.b","id":"`+id+`","data":1}`)
		if status == 202 {
			l.accept(id)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is room, and publishing is answered %d %s: %s", status, answer, p.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestADiskThatTurnsReadOnlyLosesNothing: the file system gives up, as after an
// error of the disk, and is mounted anew.
func TestADiskThatTurnsReadOnlyLosesNothing(t *testing.T) {
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 64<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		t.Logf("no file system of its own here (%v: %s): TestAFullDisk… has writes fail by the limit of file sizes", err, out)
		return
	}
	dir, ok := mounted(t, "-o", "loop", image)
	if !ok {
		return
	}
	data, l := filepath.Join(dir, "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p, "s", "")
	publishSome(t, p, "before", 100, l)
	if out, err := exec.Command("mount", "-o", "remount,abort", dir).CombinedOutput(); err != nil {
		t.Fatalf("abort: %v: %s", err, out)
	}
	refused(t, p, l)
	if status, answer := p.call(t.Context(), http.DefaultClient, "GET", "/subscriptions", ""); status != 200 {
		t.Errorf("reading from a disk that is read-only: %d %s", status, answer)
	}
	health, err := http.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if health.Body.Close(); health.StatusCode != 503 {
		t.Errorf("health of a process that can write nothing: %s, want 503", health.Status)
	}
	p.kill()
	if said := refusesToStart(t, data); !strings.Contains(said, data) {
		t.Errorf("on a disk that is read-only it said %q, want %s named", said, data)
	}
	for _, args := range [][]string{{"umount", dir}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	p = start(t, data)
	p.takesAgain(t, l)
	l.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err, p.stderr)
	}
}
