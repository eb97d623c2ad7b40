// Check our notes and proofs with code that we did not write: golang.org/x/mod/sumdb/note and tlog.
//
// One JSON object a line on standard input, one answer a line on standard output: {"error": ""} where all is good.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A question, of which each kind uses some fields.
type question struct {
	Kind      string   // note, root, record, tree or excerpt
	Note      string   // a checkpoint
	Vkey      string   // the ship's, under the prefix
	Witnesses []string // vkeys of witnesses, all of which must have signed
	Bodies    []string // of the entries of a tree
	Body      string   // of one entry
	Index     int64
	Old       int64
	OldRoot   []byte
	Size      int64
	Root      []byte
	Proof     [][]byte
	Path      string // of an excerpt
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var asked question
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			err = answer(asked)
		}
		said := ""
		if err != nil {
			said = err.Error()
		}
		out, _ := json.Marshal(map[string]string{"error": said})
		fmt.Println(string(out))
	}
}

func answer(asked question) error {
	switch asked.Kind {
	case "note":
		_, err := open(asked.Note, asked.Vkey, asked.Witnesses)
		return err
	case "root":
		return checkRoot(asked.Bodies, asked.Root)
	case "record":
		root, proof, err := hashes(asked.Root, asked.Proof)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash([]byte(asked.Body))
		return tlog.CheckRecord(proof, asked.Size, root, asked.Index, leaf)
	case "tree":
		root, proof, err := hashes(asked.Root, asked.Proof)
		if err != nil {
			return err
		}
		before, _, err := hashes(asked.OldRoot, nil)
		if err != nil {
			return err
		}
		return tlog.CheckTree(proof, asked.Size, root, asked.Old, before)
	case "excerpt":
		return checkExcerpt(asked)
	}
	return errors.New("no such question")
}

// A head is what a checkpoint says.
type head struct {
	origin string
	size   int64
	root   tlog.Hash
}

// open returns what a note says if the ship and all the witnesses signed it.
func open(text, vkey string, witnesses []string) (head, error) {
	origin := strings.SplitN(text, "\n", 2)[0]
	ship, err := ofSegment(vkey, origin)
	if err != nil {
		return head{}, err
	}
	known := []note.Verifier{ship}
	for _, each := range witnesses {
		witness, err := newWitness(each)
		if err != nil {
			return head{}, err
		}
		known = append(known, witness)
	}
	opened, err := note.Open([]byte(text), note.VerifierList(known...))
	if err != nil {
		return head{}, err
	}
	if len(opened.Sigs) != len(known) {
		return head{}, fmt.Errorf("%d of %d have signed", len(opened.Sigs), len(known))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		return head{}, errors.New("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return head{lines[0], size, root}, err
}

// ofSegment returns the verifier of a segment's notes from the ship's key, whose name is without the segment.
func ofSegment(vkey, origin string) (note.Verifier, error) {
	name, rest := cut(vkey, "+")
	_, key := cut(rest, "+")
	if at := strings.LastIndex(origin, "/"); at < 0 || origin[:at] != name {
		return nil, fmt.Errorf("the key is of %s, the note of %s", name, origin)
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(fmt.Sprintf("%s+%08x+%s", origin, keyHash(origin, raw), key))
}

func cut(text, separator string) (string, string) {
	parts := strings.SplitN(text, separator, 2)
	return parts[0], parts[len(parts)-1]
}

func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:4])
}

// A witness signs as C2SP tlog-cosignature has it: Ed25519 over the time and the note's text.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(vkey string) (note.Verifier, error) {
	name, rest := cut(vkey, "+")
	hash, key := cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 33 || raw[0] != 4 {
		return nil, errors.New("not a witness's vkey")
	}
	if fmt.Sprintf("%08x", keyHash(name, raw)) != hash {
		return nil, errors.New("the id of a witness's key does not fit it")
	}
	return witness{name, keyHash(name, raw), raw[1:]}, nil
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }

func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

// checkRoot computes the root of a tree, as tlog stores and hashes it.
func checkRoot(bodies []string, want []byte) error {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for number, body := range bodies {
		added, err := tlog.StoredHashes(int64(number), []byte(body), read)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
	}
	root, err := tlog.TreeHash(int64(len(bodies)), read)
	if err == nil && !bytes.Equal(root[:], want) {
		err = errors.New("another root")
	}
	return err
}

func hashes(root []byte, proof [][]byte) (tlog.Hash, []tlog.Hash, error) {
	var all []tlog.Hash
	for _, each := range append([][]byte{root}, proof...) {
		if len(each) != tlog.HashSize {
			return tlog.Hash{}, nil, errors.New("not a hash")
		}
		var hash tlog.Hash
		copy(hash[:], each)
		all = append(all, hash)
	}
	return all[0], all[1:], nil
}

// checkExcerpt reads an excerpt from its file: the bytes of each entry are those that stand in its line.
func checkExcerpt(asked question) error {
	content, err := os.ReadFile(asked.Path)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	var last struct{ Checkpoint string }
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
		return err
	}
	seen, err := open(last.Checkpoint, asked.Vkey, asked.Witnesses)
	if err != nil {
		return err
	}
	if len(lines) < 3 {
		return errors.New("an excerpt of nothing")
	}
	for _, line := range lines[1 : len(lines)-1] {
		var proven struct {
			Entry json.RawMessage
			Proof struct {
				Index, Size int64
				Hashes      [][]byte
			}
		}
		if err := json.Unmarshal(line, &proven); err != nil {
			return err
		}
		_, proof, err := hashes(seen.root[:], proven.Proof.Hashes)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash(proven.Entry)
		if err := tlog.CheckRecord(proof, seen.size, seen.root, proven.Proof.Index, leaf); err != nil {
			return err
		}
	}
	return nil
}
