/* SPDX-License-Identifier: Apache-2.0 */
/* sparselp_clp - hand a program to CLP's C interface and read the answer. */
#include "scheduler/sim/sparselp_clp.h"

#include <float.h>
#include <math.h>

#include <Clp_C_Interface.h>

#include "scheduler/base/mem.h"

/* ClpSolve.hpp, enum SolveType and PresolveType; the C interface has no names for them */
#define CLP_USE_PRIMAL        1
#define CLP_USE_BARRIER       3
#define CLP_PRESOLVE_ON       0
#define CLP_PRESOLVE_OFF      1
#define CLP_NO_SPECIAL        (-1)
#define CLP_STATUS_OPTIMAL    0
#define CLP_STATUS_INFEASIBLE 1

/** The entries by column, as CLP wants them. */
struct clp_matrix {
    CoinBigIndex *starts; /* [n_columns + 1] */
    int *rows;            /* [n_entries] */
    double *values;       /* [n_entries] */
};

/** Limits and costs in arrays of their own. */
struct clp_limits {
    double *column_lower;
    double *column_upper;
    double *cost;
    double *row_lower;
    double *row_upper;
};

static void init_matrix(const struct hs_sparselp *lp, struct clp_matrix *matrix)
{
    size_t n_columns = lp->columns.n, n = lp->entries.n;
    HS_AUTO_MEM CoinBigIndex *next = hs_xcalloc(n_columns, sizeof(*next));

    matrix->starts = hs_xcalloc(n_columns + 1, sizeof(*matrix->starts));
    matrix->rows = hs_xcalloc(n, sizeof(*matrix->rows));
    matrix->values = hs_xcalloc(n, sizeof(*matrix->values));
    for (size_t i = 0; i < n; i++) {
        matrix->starts[lp->entries.items[i].column + 1]++;
    }
    for (size_t c = 0; c < n_columns; c++) {
        matrix->starts[c + 1] += matrix->starts[c];
        next[c] = matrix->starts[c];
    }
    for (size_t i = 0; i < n; i++) {
        const struct hs_sparselp_entry *entry = &lp->entries.items[i];
        CoinBigIndex at = next[entry->column]++;

        matrix->rows[at] = entry->row;
        matrix->values[at] = entry->value;
    }
}

static void fini_matrix(struct clp_matrix *matrix)
{
    free(matrix->values);
    free(matrix->rows);
    free(matrix->starts);
}

/** CLP takes anything beyond 1e50 as no limit, but not an IEEE infinity in all places. */
static double limit(double value)
{
    return isinf(value) ? copysign(DBL_MAX, value) : value;
}

static void init_limits(const struct hs_sparselp *lp, struct clp_limits *limits)
{
    size_t n_columns = lp->columns.n, n_rows = lp->rows.n;

    limits->column_lower = hs_xcalloc(n_columns, sizeof(double));
    limits->column_upper = hs_xcalloc(n_columns, sizeof(double));
    limits->cost = hs_xcalloc(n_columns, sizeof(double));
    limits->row_lower = hs_xcalloc(n_rows, sizeof(double));
    limits->row_upper = hs_xcalloc(n_rows, sizeof(double));
    for (size_t c = 0; c < n_columns; c++) {
        limits->column_lower[c] = limit(lp->columns.items[c].lower);
        limits->column_upper[c] = limit(lp->columns.items[c].upper);
        limits->cost[c] = lp->columns.items[c].cost;
    }
    for (size_t r = 0; r < n_rows; r++) {
        limits->row_lower[r] = limit(lp->rows.items[r].lower);
        limits->row_upper[r] = limit(lp->rows.items[r].upper);
    }
}

static void fini_limits(struct clp_limits *limits)
{
    free(limits->row_upper);
    free(limits->row_lower);
    free(limits->cost);
    free(limits->column_upper);
    free(limits->column_lower);
}

static void load(Clp_Simplex *model, const struct hs_sparselp *lp)
{
    struct clp_matrix matrix = {0};
    struct clp_limits limits = {0};

    init_matrix(lp, &matrix);
    init_limits(lp, &limits);
    Clp_loadProblem(model, (int)lp->columns.n, (int)lp->rows.n, matrix.starts, matrix.rows,
                    matrix.values, limits.column_lower, limits.column_upper, limits.cost,
                    limits.row_lower, limits.row_upper);
    fini_limits(&limits);
    fini_matrix(&matrix);
}

/** One attempt. @return CLP's status */
static int attempt(Clp_Simplex *model, int method, int presolve)
{
    Clp_Solve *options = ClpSolve_new();

    ClpSolve_setSolveType(options, method, CLP_NO_SPECIAL);
    ClpSolve_setPresolveType(options, presolve, CLP_NO_SPECIAL);
    (void)Clp_initialSolveWithOptions(model, options);
    ClpSolve_delete(options);
    return Clp_status(model);
}

/** Solve from scratch. @return CLP's status */
static int solve(const struct hs_sparselp *lp, int method, int presolve, double *ret_values)
{
    Clp_Simplex *model = Clp_newModel();
    int status;

    Clp_setLogLevel(model, 0);
    load(model, lp);
    status = attempt(model, method, presolve);
    if (status == CLP_STATUS_OPTIMAL) {
        memcpy(ret_values, Clp_getColSolution(model), lp->columns.n * sizeof(double));
    }
    Clp_deleteModel(model);
    return status;
}

int hs_sparselp_clp_solve(const struct hs_sparselp *lp, enum hs_sparselp_clp_method method,
                          double *ret_values, struct hs_err *err)
{
    int status = -1;

    if (method == HS_SPARSELP_CLP_BARRIER) {
        status = solve(lp, CLP_USE_BARRIER, CLP_PRESOLVE_ON, ret_values);
    }
    if (status != CLP_STATUS_OPTIMAL) { /* a barrier only guesses that nothing fits */
        status = solve(lp, CLP_USE_PRIMAL, CLP_PRESOLVE_OFF, ret_values);
    }
    if (status == CLP_STATUS_INFEASIBLE) {
        return hs_err_set(err, HS_E_CONFLICT, "clp", "no solution keeps all rows");
    }
    if (status != CLP_STATUS_OPTIMAL) {
        return hs_err_set(err, HS_E_INTERNAL, "clp",
                          "status %d on a linear program of %zu rows and %zu columns", status,
                          lp->rows.n, lp->columns.n);
    }
    return 0;
}
