# SPDX-License-Identifier: MIT
"""Search times and recall of published vector indexes, on the vectors that cloister-retrieval-bench wrote.

Called by `cloister-retrieval-bench --speed --peers PYTHON`, where PYTHON has numpy, faiss-cpu, usearch and hnswlib (from
PyPI). One thread each; the best of all single queries is reported, as for our own scan. Prints one JSON list.
"""

import json
import sys
import time

import numpy as np

K = 10
GRAPH_LIMIT = 20_000  # Building a graph of more vectors takes minutes, and its search is no exact one anyway.


def timed(name, search, queries, exact):
    """Milliseconds of the fastest query, and the share of the exact ten nearest that are found."""
    times, found = [], 0
    for row, query in enumerate(queries):
        start = time.perf_counter()
        ids = search(query[None, :])
        times.append(time.perf_counter() - start)
        if exact is not None:
            found += len(set(np.asarray(ids).ravel().tolist()) & set(exact[row].tolist()))
    recall = 1.0 if exact is None else found / (K * len(queries))
    return {"kernel": name, "search_ms": min(times) * 1e3, "median_ms": sorted(times)[len(times) // 2] * 1e3,
            "recall_at_10": recall}


def faiss_flat(vectors):
    import faiss
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return f"faiss {faiss.__version__} flat f32", lambda query: index.search(query, K)[1]


def faiss_sq8(vectors):
    import faiss
    index = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return f"faiss {faiss.__version__} flat 8 bit", lambda query: index.search(query, K)[1]


def usearch_exact(vectors):
    import usearch
    from usearch.index import search
    return f"usearch {usearch.__version__} exact f32", lambda query: search(vectors, query[0], K, "ip", exact=True,
                                                                         threads=1).keys


def usearch_graph(vectors):
    import usearch
    from usearch.index import Index
    index = Index(ndim=vectors.shape[1], metric="ip", dtype="i8")
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return f"usearch {usearch.__version__} HNSW i8", lambda query: index.search(query[0], K, threads=1).keys


def hnswlib_graph(vectors):
    import hnswlib
    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=200, M=16)
    index.set_num_threads(1)
    index.add_items(vectors)
    index.set_ef(50)
    return "hnswlib HNSW f32 (M 16, ef 50)", lambda query: index.knn_query(query, K)[0]


def main():
    vector_file, query_file, dims = sys.argv[1], sys.argv[2], int(sys.argv[3])
    vectors = np.fromfile(vector_file, dtype=np.float32).reshape(-1, dims)
    queries = np.fromfile(query_file, dtype=np.float32).reshape(-1, dims)
    name, search = faiss_flat(vectors)
    exact = np.stack([search(query[None, :])[0] for query in queries])
    results = [timed(name, search, queries, None)]
    peers = [faiss_sq8, usearch_exact]
    if len(vectors) <= GRAPH_LIMIT:
        peers += [usearch_graph, hnswlib_graph]
    for peer in peers:
        name, search = peer(vectors)
        results.append(timed(name, search, queries, exact))
    print(json.dumps([{"vectors": len(vectors), "dims": dims, **result} for result in results]))


main()
