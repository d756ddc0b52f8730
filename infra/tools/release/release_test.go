package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postino/postino/infra/tools/testserver"
)

// made is a release in a folder of the test. Like main it works in the
// repository's root. Without paths of this machine, all is compiled anew.
func made(t *testing.T) release {
	t.Helper()
	t.Chdir("../../..")
	return release{out: t.TempDir(), version: "1.2.3-test.1", time: time.Unix(1_700_000_000, 0).UTC(), bucket: "b-${AWS::Region}"}
}

func TestVersionsAreNumbersAndTheTimeIsTheCommits(t *testing.T) {
	t.Chdir("../../..")
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "1.2.3-rc.1": "1.2.3-rc.1", "": "any", "1.2": "", "latest": ""} {
		r := release{version: version}
		if err := r.describe(); (err == nil) != (want != "") || want != "any" && err == nil && r.version != want {
			t.Errorf("version %q is %q, %v, want %q", version, r.version, err, want)
		}
	}
}

func TestAProgramKnowsItsVersionAndWhatItWasBuiltOf(t *testing.T) {
	r := made(t)
	if err := r.program(target{runtime.GOOS, runtime.GOARCH}); err != nil {
		t.Fatal(err)
	}
	name := strings.Join([]string{"postino", r.version, runtime.GOOS, runtime.GOARCH}, "_")
	dir := t.TempDir()
	archive, err := os.Open(r.path(name + ".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	unpack(t, archive, dir)
	if _, err := os.Stat(filepath.Join(dir, "postino.service")); (err == nil) != (runtime.GOOS == "linux") {
		t.Errorf("postino.service in the archive for %s: %v", runtime.GOOS, err)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(dir, "postino"), "version").CombinedOutput()
	if want := "Postino " + r.version + "\n"; err != nil || string(said) != want {
		t.Errorf("postino version says %q, %v, want %q", said, err, want)
	}
	var b bill
	if err := json.Unmarshal(file(t, r, name+".cdx.json"), &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Version != r.version || !strings.Contains(fmt.Sprint(b.Components), "github.com/cockroachdb/pebble/v2") {
		t.Errorf("the bill of materials is %+v, want the version and the modules, Pebble among them", b)
	}
}

// The image has no shell and no users, and its program runs as one whom the
// host does not know either.
func TestTheImageStartsAsAnUnprivilegedUser(t *testing.T) {
	r := made(t)
	if runtime.GOOS != "linux" {
		t.Skip("an image is for Linux")
	}
	if err := r.image(); err != nil {
		t.Fatal(err)
	}
	root, user := t.TempDir(), ""
	for _, m := range manifests(t, r) {
		var one manifest
		var config struct {
			Architecture string
			Config       struct {
				User       string
				Entrypoint []string
			} `json:"config"`
			Rootfs struct {
				DiffIDs []string `json:"diff_ids"`
			}
		}
		decode(t, blob(t, r, m), &one)
		decode(t, blob(t, r, *one.Config), &config)
		layer := blob(t, r, one.Layers[0])
		if got := digest(unzipped(t, layer)); got != config.Rootfs.DiffIDs[0] {
			t.Errorf("the layer of %s unpacks to %s, its configuration says %s", config.Architecture, got, config.Rootfs.DiffIDs[0])
		}
		if config.Architecture == runtime.GOARCH {
			unpack(t, bytes.NewReader(layer), root)
			user = config.Config.User
		}
	}
	if user != "65532:65532" {
		t.Fatalf("the image for %s runs as %q", runtime.GOARCH, user)
	}
	runs(t, root)
}

// runs starts what an image holds, and asks it for its health.
func runs(t *testing.T, root string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "postino"), "serve", "-addr", "127.0.0.1:0", "-data", filepath.Join(root, "data"))
	if os.Getuid() == 0 { // else we are unprivileged, and may not change the root
		if err := os.Chmod(root, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Args = []string{"/postino", "serve", "-addr", "127.0.0.1:0", "-data", "/data"}
		cmd.Path, cmd.Dir = "/postino", "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: imageUser, Gid: imageUser}}
	}
	cmd.Env = []string{}
	cmd.Stderr = os.Stderr
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("the image's program said %q, then %v", line, err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), " listens on ")
	answer, err := http.Get(address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "1.2.3-test.1") {
		t.Errorf("the image's health is %s: %s", answer.Status, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped, the image's program ends with %v", err)
	}
}

func TestThePackagedTemplateFindsItsFunctionsAndHasNothingToLint(t *testing.T) {
	r := made(t)
	if err := r.functions(); err != nil {
		t.Fatal(err)
	}
	template := string(file(t, r, "template.yaml"))
	if n := strings.Count(template, "b-${AWS::Region}"); n != 5 || !strings.Contains(template, "\n  CodeBucket:\n") {
		t.Errorf("the template names the bucket %d times, want it for five functions, and a parameter for another one", n)
	}
	for _, name := range []string{"ingest", "fanout", "delivery", "manage", "sweep"} {
		if want := `CodeUri: {Bucket: !If [OwnCode, !Ref CodeBucket, !Sub "b-${AWS::Region}"], Key: postino/1.2.3-test.1/` + name + `.zip}`; !strings.Contains(template, want) {
			t.Errorf("the template does not say %s", want)
		}
		archive, err := zip.OpenReader(r.path(name + ".zip"))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode().Perm() != 0o755 {
			t.Errorf("%s.zip holds %v, want bootstrap that may be run", name, archive.File)
		}
	}
	if want := "SemanticVersion: 1.2.3-test.1\n"; !strings.Contains(template, want) {
		t.Errorf("the template does not say %s", want)
	}
	lint := exec.CommandContext(t.Context(), testserver.Require(t, "POSTINO_CFN_LINT"), r.path("template.yaml"))
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// The Serverless Application Repository copies what a template names as it is.
func TestABucketOfOnesOwnIsNoParameter(t *testing.T) {
	t.Chdir("../../..")
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := release{bucket: "my-bucket", version: "1.2.3"}.findCode(string(text))
	if want := "CodeUri: {Bucket: my-bucket, Key: postino/1.2.3/sweep.zip}"; err != nil || !strings.Contains(template, want) || strings.Contains(template, "CodeBucket") {
		t.Errorf("%v, and the template does not say %s, or has a parameter for the bucket", err, want)
	}
}

// Two runs of one commit are the same, and so may be compared with what was published.
func TestASecondReleaseOfACommitHasTheSameChecksums(t *testing.T) {
	first := made(t)
	second := first
	second.out = t.TempDir()
	for _, r := range []release{first, second} {
		if err := r.make(""); err != nil {
			t.Fatal(err)
		}
	}
	sums := file(t, first, "SHA256SUMS")
	if string(sums) != string(file(t, second, "SHA256SUMS")) {
		t.Errorf("two releases of one commit differ:\n%s\n%s", sums, file(t, second, "SHA256SUMS"))
	}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if got := fmt.Sprintf("%x", sha256.Sum256(file(t, first, name))); got != sum {
			t.Errorf("%s has the checksum %s, SHA256SUMS says %s", name, got, sum)
		}
	}
	if n := strings.Count(string(sums), "postino_1.2.3-test.1_"); n != 2*len(targets) {
		t.Errorf("%d files of programs, want an archive and a bill of materials for each of %d systems", n, len(targets))
	}
}

// manifests are those of the image's processors.
func manifests(t *testing.T, r release) []descriptor {
	t.Helper()
	var layout, index manifest
	decode(t, file(t, r, "image/index.json"), &layout)
	decode(t, blob(t, r, layout.Manifests[0]), &index)
	if len(index.Manifests) != 2 {
		t.Fatalf("the image is for %v, want two processors", index.Manifests)
	}
	return index.Manifests
}

// blob reads what a descriptor points to, and holds it to what that says.
func blob(t *testing.T, r release, d descriptor) []byte {
	t.Helper()
	content := file(t, r, "image/blobs/"+strings.Replace(d.Digest, ":", "/", 1))
	if digest(content) != d.Digest || len(content) != d.Size {
		t.Errorf("a blob has the digest %s and %d bytes, its descriptor says %s and %d", digest(content), len(content), d.Digest, d.Size)
	}
	return content
}

func digest(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func file(t *testing.T, r release, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(r.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t *testing.T, content []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(content, v); err != nil {
		t.Fatal(err)
	}
}

func unzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	opened, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unpack writes a compressed tar into a folder, with its modes and owners.
func unpack(t *testing.T, from io.Reader, folder string) {
	t.Helper()
	opened, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(opened); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, h.FileInfo().Mode().Perm())
		} else {
			var content []byte
			if content, err = io.ReadAll(archive); err == nil {
				err = os.WriteFile(path, content, h.FileInfo().Mode().Perm())
			}
		}
		if err == nil && os.Getuid() == 0 {
			err = os.Chown(path, h.Uid, h.Gid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
